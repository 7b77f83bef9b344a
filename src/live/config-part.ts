import type { Flags } from '../config/flags.js';
import { maskedDocument } from '../config/secrets.js';
import type { ConfigAdmin } from '../http/config-routes.js';
import { metricFamily } from '../http/metric-family.js';
import type { ProgramPart } from '../http/program-part.js';
import { effectiveConfig } from './effective.js';
import type { LiveConfig } from './live-config.js';
import type { NatsConfigSource } from './nats-source.js';

/** The configuration as paths of the server show it. */
export class ConfigPart implements ProgramPart, ConfigAdmin {
  readonly name = 'config';
  readonly change: ConfigAdmin['change'];
  /** What comes over NATS, if there is any. */
  nats: NatsConfigSource | undefined;
  readonly #live: LiveConfig;
  readonly #flags: Flags;

  constructor(live: LiveConfig, flags: Flags) {
    this.#live = live;
    this.#flags = flags;
    this.change = (request) => live.change(request);
  }

  show(): object {
    const { state } = this.#live;
    const { generation, at, source, file, problem } = this.#live.status();
    return {
      generation,
      at,
      source,
      file,
      problem,
      document: maskedDocument(state.document),
      override: maskedDocument(state.overlay?.patch ?? {}),
      ...effectiveConfig(state, this.#flags, this.#live.lastGoodAt),
      warnings: state.warnings,
    };
  }

  status(): object {
    const { outcomes, ...status } = this.#live.status();
    const { backend } = this.#live.state.config;
    const asksBackend = backend.readsClusters && backend.url !== '';
    return {
      ...status,
      changes: outcomes,
      ...(asksBackend && { backend: this.#live.backend.status() }),
      ...(this.nats && { nats: this.nats.status() }),
    };
  }

  problems(): string[] {
    const { backend } = this.#live.state.config;
    const asked = backend.readsClusters && backend.url !== '' ? this.#live.backend.status() : null;
    return [this.#live.status().problem, asked?.problem ?? ''].filter((text) => text !== '');
  }

  metrics(): string {
    const { generation, at, problem, overriddenCount, waiting, outcomes } = this.#live.status();
    const { questions, failures } = this.#live.backend.status();
    const byOutcome = Object.entries(outcomes).map(
      ([outcome, count]) => `{outcome="${outcome}"} ${count}`,
    );
    const gauge = (name: string, help: string, value: number): string =>
      metricFamily(`config_${name}`, 'gauge', help, value);
    const counter = (name: string, help: string, values: number | readonly string[]): string =>
      metricFamily(`config_${name}`, 'counter', help, values);
    return [
      gauge('generation', 'Number of the configuration in effect.', generation),
      gauge(
        'changed_timestamp_seconds',
        'When it came into effect, Unix time.',
        Date.parse(at) / 1000,
      ),
      gauge('problem', '1 if what was asked for last is not in effect.', problem === '' ? 0 : 1),
      gauge('overridden', 'Settings that go before the file.', overriddenCount),
      gauge('changes_waiting', 'Changes that wait for those before them.', waiting),
      counter('changes_total', 'Changes asked for, by outcome.', byOutcome),
      counter('backend_questions_total', 'Questions to cc-backend for clusters.', questions),
      counter('backend_failures_total', 'Questions that had no answer of use.', failures),
    ].join('');
  }
}

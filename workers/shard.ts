// The Piscina entry of a shard: a table of named tasks. What they do is in the folders below.
import type { CatalogueEntry, CatalogueRequest } from '../src/model/catalogue.js';
import type { HealthEntry, HealthPageRequest } from '../src/model/health.js';
import type { HealthRequest, UnitMismatches, UnitMismatchFilter } from '../src/routing/store.js';
import type { InspectRequest } from '../src/model/inspection.js';
import { StoreError, type ErrorData } from '../src/model/errors.js';
import type { ExportedSeries, ExportRequest } from '../src/protocol/archive.js';
import type { HostsInUse } from '../src/protocol/hosts-in-use.js';
import type { ReconfigureTask, ShardReconfigured } from '../src/protocol/reconfigure.js';
import type { ShardStart } from '../src/protocol/messages.js';
import { Shard } from './shard-loop.js';

let shard: Shard | undefined;

type Answer<Result> = { value: Result } | { error: ErrorData };

/** Errors cross the thread boundary as data: a class error would arrive without its code. */
async function answer<Result>(
  work: (shard: Shard) => Result | Promise<Result>,
): Promise<Answer<Result>> {
  try {
    if (!shard) throw new StoreError('shard-unavailable', 'the shard has not been started');
    return { value: await work(shard) };
  } catch (error) {
    const known = error instanceof StoreError ? error : undefined;
    // Such as a checkpoint that failed, which is the world's fault.
    const message = error instanceof Error ? error.message : String(error);
    return { error: known?.toData() ?? { code: 'internal', message } };
  }
}

/** Nothing: that it is called says that the thread has loaded its code. */
export function loaded(): void {}

/** Takes over the memory and the port, and restores what is on disk; only then the shard serves. */
export function start(task: ShardStart): Promise<Answer<unknown>> {
  shard = new Shard(task);
  return answer((owner) => owner.restore());
}

/** Makes a checkpoint; resolves to what it came to. */
export function checkpoint(task?: { withJson: boolean }): Promise<Answer<unknown>> {
  return answer((owner) => owner.checkpoint(task?.withJson === true));
}

/** Archives and frees what is past the retention; resolves to what it came to. */
export function archive(): Promise<Answer<unknown>> {
  return answer((owner) => owner.archive());
}

/** What is in memory of some hosts and metrics. */
export function exportSamples(request: ExportRequest): Promise<Answer<ExportedSeries[]>> {
  return answer((owner) => owner.exportSamples(request));
}

/** Goes on with another configuration; resolves to what that came to. */
export function reconfigure(task: ReconfigureTask): Promise<Answer<ShardReconfigured>> {
  return answer((owner) => owner.reconfigure(task));
}

/** Makes the last checkpoint and ends the log. */
export function stop(): Promise<Answer<unknown>> {
  return answer((owner) => owner.stop());
}

/** Frees whole blocks older than `toSec` below each selector; returns how many. */
export function free(task: { selectors: string[][]; toSec: number }): Promise<Answer<number>> {
  return answer((owner) => owner.free(task.selectors, task.toSec));
}

/** Which hosts of this shard keep their data beyond the retention from now on. */
export function hostsInUse(hosts: HostsInUse): Promise<Answer<void>> {
  return answer((owner) => owner.setHostsInUse(hosts));
}

/** The level tree at a selector as JSON text. */
export function debug(selector: string[]): Promise<Answer<string>> {
  return answer((owner) => owner.lookUps.debug(selector));
}

/** A page of what a shard holds in detail. */
export function inspect(request: InspectRequest): Promise<Answer<unknown>> {
  return answer((owner) => owner.lookUps.inspect(request));
}

/** The first entries of a list of what is in memory. */
export function catalogue(request: CatalogueRequest): Promise<Answer<CatalogueEntry[]>> {
  return answer((owner) => owner.lookUps.catalogue(request));
}

/** What of this shard came in a unit that can not be converted. */
export function unitMismatches(filter: UnitMismatchFilter): Promise<Answer<UnitMismatches>> {
  return answer((owner) => owner.units.list(filter));
}

/** State of nodes of this shard. */
export function health(request: HealthRequest): Promise<Answer<unknown>> {
  return answer((owner) => owner.lookUps.health(request));
}

/** The first hosts of a page, with their states. */
export function healthPage(request: HealthPageRequest): Promise<Answer<HealthEntry[]>> {
  return answer((owner) => owner.checker.page(request));
}

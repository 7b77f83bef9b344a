import { ask, getJson, postJson, urlOf } from '../kit/api.js';
import { el, fill } from '../kit/dom.js';
import { bytes, count, time } from '../kit/format.js';
import { wordsOf } from '../kit/notice.js';
import { confirmed } from './confirm.js';
import { field, type ViewContext } from './view.js';

/** What would go, or went. */
interface Preview {
  readonly blocks: number;
  readonly series: number;
  readonly bytes: number;
  readonly hosts: number;
}

/** What is asked to be freed. */
interface Wish {
  readonly selectors: readonly (readonly string[])[];
  readonly toSec: number;
  /** In words. */
  readonly what: string;
}

interface HostsPage {
  readonly hosts: readonly { readonly name: string }[];
  readonly next: string | null;
}

interface ClustersPage {
  readonly clusters: readonly { readonly name: string }[];
}

/** More in one go would be more than a request may have. */
const HOSTS_MAX = 10_000;
const DAY_MS = 86_400_000;

/** Frees old samples by hand: what would go is shown first, and asked about. */
export function makeFreeForm(context: ViewContext): HTMLElement {
  return new FreeForm(context).element;
}

class FreeForm {
  readonly element: HTMLElement;
  readonly #cluster = el('input', {
    name: 'free-cluster',
    required: true,
    list: 'names',
    size: 14,
  });
  readonly #hosts = el('input', {
    name: 'hosts',
    size: 22,
    placeholder: 'all; a[0100-0110], a01*',
  });
  readonly #level = el('input', { name: 'below', size: 14, placeholder: 'all; hwthread7' });
  readonly #before = el('input', {
    name: 'before',
    type: 'datetime-local',
    required: true,
    step: 1,
    value: localTime(Date.now() - DAY_MS),
  });
  readonly #names = el('datalist', { id: 'names' });
  readonly #result = el('div', { class: 'result', role: 'status' });
  readonly #look = el('button', { type: 'submit' }, 'What would go?');
  readonly #act = el('button', { type: 'button', class: 'danger', disabled: true }, 'Free …');
  #seen: { readonly wish: Wish; readonly preview: Preview } | undefined;

  constructor(context: ViewContext) {
    const fields = [this.#cluster, this.#hosts, this.#level, this.#before];
    for (const input of fields) input.addEventListener('input', () => this.#forget());
    this.#act.addEventListener('click', () => void this.#say(() => this.#free()));
    const submit = (event: Event): void => {
      event.preventDefault();
      void this.#say(() => this.#preview());
    };
    this.element = el(
      'section',
      { class: 'panel', 'aria-label': 'Free samples' },
      el('h3', {}, 'Free samples'),
      el('p', {}, 'Frees whole blocks that end before a time. What would go is counted first.'),
      el(
        'form',
        { class: 'fields', submit },
        field('Cluster', this.#cluster),
        field('Hosts', this.#hosts),
        field('Part of the host', this.#level),
        field('Before', this.#before),
        this.#look,
        this.#act,
        this.#names,
      ),
      this.#result,
    );
    void this.#listClusters(context);
  }

  /** For who types; nothing is lost where they cannot be had. */
  async #listClusters({ signal, clusters }: ViewContext): Promise<void> {
    const answer = await getJson<ClustersPage>(
      'api/v2/clusters',
      { priority: 'low' },
      signal,
    ).catch(() => undefined);
    const names = answer?.clusters.map(({ name }) => name) ?? [];
    const mine = names.filter((name) => clusters?.includes(name) ?? true);
    fill(this.#names, ...mine.map((value) => el('option', { value })));
  }

  /** What was looked at is not what is asked for any more. */
  #forget(): void {
    this.#seen = undefined;
    this.#act.disabled = true;
  }

  async #say(work: () => Promise<void>): Promise<void> {
    this.#look.disabled = true;
    try {
      await work();
    } catch (error) {
      fill(this.#result, el('p', { class: 'trouble', role: 'alert' }, wordsOf(error)));
    }
    this.#look.disabled = false;
  }

  async #preview(): Promise<void> {
    this.#forget();
    fill(this.#result, 'looking …');
    const [cluster, hosts, level] = [this.#cluster, this.#hosts, this.#level].map(({ value }) =>
      value.trim(),
    ) as [string, string, string];
    const toSec = Math.floor(new Date(this.#before.value).getTime() / 1000);
    const wish = await wishOf(cluster, hosts, level, toSec);
    if (wish.selectors.length === 0) {
      fill(this.#result, `No host of ${cluster} that is in memory fits ${hosts}.`);
      return;
    }
    const parameters = { to: toSec, preview: true };
    const preview = await postJson<Preview>('api/free', wish.selectors, parameters);
    fill(this.#result, `${wish.what}: ${sentenceOf(preview)} would go.`);
    if (preview.blocks === 0) return;
    this.#seen = { wish, preview };
    this.#act.disabled = false;
    this.#act.focus();
  }

  async #free(): Promise<void> {
    if (!this.#seen) return;
    const { wish, preview } = this.#seen;
    const lines = [
      `${wish.what}: ${sentenceOf(preview)}.`,
      'They go from memory, and a restart does not bring them back. What the archive has stays.',
    ];
    if (!(await confirmed('Free these samples?', lines, 'Free', true))) return;
    this.#forget();
    const body = JSON.stringify(wish.selectors);
    const answer = await ask(urlOf('api/free', { to: wish.toSec }), { method: 'POST', body });
    fill(this.#result, `${wish.what}: ${(await answer.text()).trim()}.`);
  }
}

/** Names of hosts are the store's: it knows host lists and patterns, and what is there. */
async function wishOf(cluster: string, hosts: string, level: string, toSec: number): Promise<Wish> {
  const until = `before ${time(toSec)}`;
  const below = level === '' ? [] : [level];
  if (hosts === '' && level === '') {
    return { selectors: [[cluster]], toSec, what: `All of ${cluster} ${until}` };
  }
  const names: string[] = [];
  for (let after: string | null = ''; after !== null;) {
    const parameters = { cluster, match: hosts, limit: HOSTS_MAX, after, priority: 'low' };
    const page: HostsPage = await getJson<HostsPage>('api/v2/hosts', parameters);
    names.push(...page.hosts.map(({ name }) => name));
    if (names.length > HOSTS_MAX) {
      throw new Error(`more than ${HOSTS_MAX} hosts fit; name fewer, or free the whole cluster`);
    }
    after = page.next;
  }
  const part = level === '' ? '' : `${level} of `;
  return {
    selectors: names.map((name) => [cluster, name, ...below]),
    toSec,
    what: `${part}${count(names.length)} hosts of ${cluster} ${until}`,
  };
}

function sentenceOf({ blocks, series, bytes: size, hosts }: Preview): string {
  return `${count(blocks)} blocks (${bytes(size)}) of ${count(series)} series on ${count(hosts)} hosts`;
}

/** As an input of its kind has it. */
function localTime(milliseconds: number): string {
  return time(Math.floor(milliseconds / 1000)).replace(' ', 'T');
}

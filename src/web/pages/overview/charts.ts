import { el, fill } from '../kit/dom.js';
import { BYTE_STEPS, makeChart, type Chart } from '../kit/chart.js';
import { bytes, digits, short } from '../kit/format.js';
import type { NumberName } from './answers.js';
import type { History } from './history.js';

interface Plan {
  readonly title: string;
  readonly show: (value: number | null) => string;
  readonly curves: readonly (readonly [name: NumberName, label: string, colour?: number])[];
}

const count = (value: number | null): string => short(value);
const ms = (value: number | null): string => (value === null ? '–' : `${digits(value)} ms`);
const percent = (value: number | null): string => (value === null ? '–' : `${digits(value)} %`);
const HEIGHT_PX = 150;

const PLANS: readonly Plan[] = [
  {
    title: 'Ingest, a second',
    show: count,
    curves: [
      ['linesPerSec', 'lines'],
      ['samplesPerSec', 'samples', 2],
      ['natsLinesPerSec', 'of NATS', 3],
    ],
  },
  {
    title: 'Lines not stored, a second',
    show: count,
    curves: [
      ['ignoredPerSec', 'ignored', 4],
      ['rejectedPerSec', 'rejected', 6],
    ],
  },
  {
    title: 'Requests, a second',
    show: count,
    curves: [
      ['requestsPerSec', 'all'],
      ['queriesPerSec', 'queries', 1],
    ],
  },
  {
    title: 'Time of writes',
    show: ms,
    curves: [
      ['writeMsP99', 'p99', 1],
      ['writeMsP50', 'p50', 0],
    ],
  },
  {
    title: 'Time of queries',
    show: ms,
    curves: [
      ['queryMsP99', 'p99', 1],
      ['queryMsP50', 'p50', 0],
    ],
  },
  {
    title: 'Memory',
    show: bytes,
    curves: [
      ['residentBytes', 'of the process', 7],
      ['heapBytes', 'for samples', 0],
      ['heapLiveBytes', 'in use', 2],
    ],
  },
  { title: 'Log', show: bytes, curves: [['logBytes', 'since the checkpoint', 5]] },
  {
    title: 'Traffic, a second',
    show: bytes,
    curves: [
      ['receivedBytesPerSec', 'received', 0],
      ['sentBytesPerSec', 'sent', 1],
    ],
  },
  { title: 'CPU, of one core', show: percent, curves: [['cpuPercent', 'CPU', 3]] },
];

export interface Charts {
  readonly element: HTMLElement;
  show(history: History): void;
}

/** The last hour. A curve that nothing was ever known of is not drawn, as of NATS where there is none. */
export function makeCharts(): Charts {
  const places = PLANS.map((plan) => ({
    plan,
    element: el('div', { class: 'place' }),
    drawn: undefined as { readonly chart: Chart; readonly curves: string } | undefined,
  }));
  return {
    element: el('div', { class: 'charts' }, ...places.map(({ element }) => element)),
    show(history) {
      for (const place of places) {
        const curves = place.plan.curves.filter(
          ([name], index) => index === 0 || history.column(name).some((value) => value !== null),
        );
        const key = curves.map(([name]) => name).join();
        if (place.drawn?.curves !== key) {
          place.drawn?.chart.destroy();
          place.drawn = { chart: draw(place.plan, curves), curves: key };
          fill(place.element, place.drawn.chart.element);
        }
        place.drawn.chart.setData(
          history.times,
          curves.map(([name]) => history.column(name)),
        );
      }
    },
  };
}

function draw({ title, show }: Plan, curves: Plan['curves']): Chart {
  return makeChart({
    title,
    heightPx: HEIGHT_PX,
    sync: 'overview',
    axis: (value) => show(value),
    fromZero: true,
    ...(show === bytes && { steps: BYTE_STEPS }),
    curves: curves.map(([, label, colour], index) => ({ label, show, colour: colour ?? index })),
  });
}

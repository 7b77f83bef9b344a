import { absenceText, type Absence, type SelectProblem } from '../protocol/select.js';

/** Problems that a client is told of. */
const PROBLEMS_MAX = 20;

/**
 * Problems of all shards as one shard would tell them, each once and in a stable order. A metric is
 * absent if all `shards` say so.
 */
export function mergeProblems(
  problems: readonly SelectProblem[],
  shards: number,
): readonly SelectProblem[] {
  const byText = new Map<string, SelectProblem>();
  const byMetric = new Map<string, { select: number; absences: Absence[] }>();
  for (const problem of problems) {
    const { select, error, absence } = problem;
    if (!absence) byText.set(`${select} ${error}`, problem);
    else {
      const key = `${select} ${absence.metric}`;
      const known = byMetric.get(key);
      if (known) known.absences.push(absence);
      else byMetric.set(key, { select, absences: [absence] });
    }
  }
  const everywhere = [...byMetric.values()].filter(({ absences }) => absences.length === shards);
  const told = new Set([...byText.values(), ...everywhere].map(({ select }) => select));
  // One shard names the pattern, another what it stands for there.
  const elsewhere = [...byMetric.values()].filter(({ select }) => !told.has(select));
  const absent = [...everywhere, ...elsewhere].map(mergeAbsences);
  return [...byText.values(), ...absent].sort(compare).slice(0, PROBLEMS_MAX);
}

function mergeAbsences({
  select,
  absences,
}: {
  readonly select: number;
  readonly absences: readonly Absence[];
}): SelectProblem {
  const absence = {
    ...absences[0]!,
    hosts: absences.reduce((sum, { hosts }) => sum + hosts, 0),
    lookedAt: absences.reduce((sum, { lookedAt }) => sum + lookedAt, 0),
    types: [...new Set(absences.flatMap(({ types }) => types))],
  };
  return { select, error: absenceText(absence), absence };
}

function compare(a: SelectProblem, b: SelectProblem): number {
  if (a.select !== b.select) return a.select - b.select;
  return a.error < b.error ? -1 : a.error > b.error ? 1 : 0;
}

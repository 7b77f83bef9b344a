import t from 'tap';
import * as layout from '../../workers/kernel/layout.js';

t.test('numbers of series fit the region that a start has for their table', async (t) => {
  t.equal(layout.SERIES_IDS_MAX * layout.TABLE_ENTRY_BYTES, layout.ANSWER_BYTES);
});

t.test('nothing of the state region lies over anything else', async (t) => {
  const { STATE_BASE, SCRATCH_BASE } = layout;
  const parts: [name: string, from: number, bytes: number][] = [
    ['words of ingest and runs', STATE_BASE, 96],
    ['size classes', STATE_BASE + layout.ALLOC_TABLE, 2048],
    ['tallies', layout.TALLY_CONVERTED, 2 * layout.TALLY_BYTES],
    ['rows of tallies', layout.TALLY_ROWS, layout.TALLY_ROWS_MAX * layout.TALLY_BYTES],
    ['what was freed', STATE_BASE + layout.FREED_COUNT, 8],
    ['changes', STATE_BASE + layout.CHANGES_TABLE, layout.CHANGES_COUNT * 4],
    ['the region behind', SCRATCH_BASE, 0],
  ];
  for (let i = 1; i < parts.length; i++) {
    const [before, from, bytes] = parts[i - 1]!;
    t.ok(from + bytes <= parts[i]![1], `${before} end before ${parts[i]![0]} begin`);
  }
});

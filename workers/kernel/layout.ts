/**
 * Memory layout of a shard. One WebAssembly.Memory (shared, at most 4 GiB) per shard holds all of
 * it; the AssemblyScript kernel and the TypeScript control plane both import this file, so it has
 * integer constants only. Addresses and sizes are bytes.
 *
 * | from      | region        | writer | what |
 * |-----------|---------------|--------|------|
 * | 1 KiB     | static data   | linker | constant tables of the kernel, the same in every instance |
 * | 1 MiB     | control       | both   | doorbell, ring positions, counters: one word, one writer |
 * | +4 KiB    | ring          | both   | RING_SLOTS descriptors of RING_SLOT_BYTES |
 * | 1.375 MiB | state         | shard  | mutable state of the kernel (allocator), tallies of units |
 * | 1.5 MiB   | scratch       | shard  | fixed work areas of kernel functions |
 * | 2 MiB     | body arena    | front  | request bodies, copied once |
 * | 66 MiB    | query scratch | shard  | Float64 arrays of a query in work |
 * | 130 MiB   | answers       | shard  | JSON text on its way to the front |
 * | 386 MiB   | log           | shard  | the log's records of a turn, before they are written |
 * | 390 MiB   | staging       | shard  | a section of a file: being gathered, or just read |
 * | 402 MiB   | archive       | shard  | Float64 slots of a series on its way to the archive |
 * | 402.1 MiB | heap          | shard  | series, heads, blocks, prefixes; grows by pages |
 *
 * Untouched pages of a region cost nothing: the operating system backs them on first use.
 */

// Regions.
export const CONTROL_BASE = 1048576;
export const RING_BASE = 1052672;
export const STATE_BASE = 1441792;
export const SCRATCH_BASE = 1572864;
// Of the scratch, beyond what kernel functions use: values of a series, a work area, and their text.
export const EXPORT_VALUES = 1835008;
export const EXPORT_VALUES_BYTES = 65536;
export const EXPORT_WORK = 1900544;
export const EXPORT_TEXT = 1904640;
export const EXPORT_TEXT_BYTES = 192512;
export const ARENA_BASE = 2097152;
export const ARENA_BYTES = 67108864;
export const QUERY_SCRATCH_BASE = 69206016;
export const QUERY_SCRATCH_BYTES = 67108864;
export const ANSWER_BASE = 136314880;
export const ANSWER_BYTES = 268435456;
export const LOG_BASE = 404750336;
export const LOG_BYTES = 4194304;
export const STAGING_BASE = 408944640;
export const STAGING_BYTES = 12582912;
export const ARCHIVE_BASE = 421527552;
export const ARCHIVE_BYTES = 131072;
export const HEAP_BASE = 421658624;
/** Where it ends at the latest: 4 GiB, less what larger tables may need at once. */
export const HEAP_END_MAX = 4278190080;

/** The heap's allocator takes memory in pages of this size. */
export const HEAP_PAGE_BYTES = 16384;

// Ring: descriptors of body parts. Position p lies in slot p % RING_SLOTS.
export const RING_SLOTS = 4096;
export const RING_SLOT_BYTES = 64;

// Control words (byte offsets from CONTROL_BASE, each an Int32 unless noted).
export const CONTROL_PUBLISHED = 0; // front: parts published
export const CONTROL_ACKNOWLEDGED = 64; // shard: parts done, readable by queries
export const CONTROL_ASLEEP = 128; // what the shard waits for, 0 = it is awake; front clears it

// Descriptor (byte offsets).
export const PART_BODY = 0; // u32 address of the first byte
export const PART_BYTES = 4; // u32
export const PART_CLUSTER = 8; // u32 address of the default cluster's name (UTF-8)
export const PART_CLUSTER_BYTES = 12; // u32, 0 = no default
export const PART_PRECISION = 16; // i32, PRECISION_*
export const PART_ARRIVAL_SEC = 20; // u32 Unix seconds
export const PART_WRITTEN = 24; // u32 result: samples stored
export const PART_IGNORED = 28; // u32 result
export const PART_REJECTED = 32; // u32 result
export const PART_LINES = 36; // u32 result: lines seen, blank ones and comments too
export const PART_HAS_EXAMPLES = 40; // u32 result: 1 = a message with examples was posted
export const PART_FAILED = 44; // u32 result: 1 = it could not be logged, and may be stored or not

// How a timestamp is read.
export const PRECISION_AUTO = 0; // by magnitude
export const PRECISION_S = 1;
export const PRECISION_MS = 2;
export const PRECISION_US = 3;
export const PRECISION_NS = 4;
export const PRECISION_M = 5;
export const PRECISION_H = 6;

// Series record: SERIES_BYTES, 64-byte aligned, in the heap. A series is named by its address.
//
// Time is cut into windows of WINDOW_SLOTS slots. A series' windows are shifted by `stagger`
// (the same for all series of a host), so that hosts do not seal in the same minute: slot s lies
// in window (s + stagger) / WINDOW_SLOTS. A window has at most one sealed block; the newest
// HEAD_SLOTS slots live unsealed in the head, aligned to HEAD_SLOTS after the same shift.
export const SERIES_BYTES = 64;
export const WINDOW_SLOTS = 128;
export const HEAD_SLOTS = 16;
export const SERIES_HEAD = 0; // u32 address of HEAD_SLOTS Float64 (NaN = missing), 0 = no head
export const SERIES_HEAD_SLOT = 4; // u32 slot of the head's first value
export const SERIES_LAST_SLOT = 8; // u32 newest slot ever written
export const SERIES_STEP = 12; // u32 seconds
export const SERIES_NEXT_LOW = 16; // u32 earliest second taken for slot LAST_SLOT + 1
export const SERIES_NEXT_SPAN = 20; // u32 seconds: LOW … LOW + SPAN are taken without a look
export const SERIES_LAST_TIME = 24; // u32 second of the newest sample
export const SERIES_FLAGS = 28; // u32 SERIES_FLAG_*
export const SERIES_BLOCKS = 32; // u32 address of u32 block addresses, sorted by start; 0 = none
export const SERIES_BLOCK_COUNT = 36; // u16
export const SERIES_BLOCK_CAPACITY = 38; // u16
export const SERIES_STAGGER = 40; // u8, 0 … WINDOW_SLOTS - 1
export const SERIES_EXPONENT = 41; // u8 decimal exponent of the last sealed block, a hint
export const SERIES_METRIC = 42; // u16 metric index
export const SERIES_LEVEL = 44; // u32 level index
export const SERIES_FREED_AT = 48; // u32 number of the last checkpoint that may have blocks freed since
export const SERIES_COUNT = 52; // u32 samples written, wraps
export const SERIES_ID = 56; // u32 number of the series in log and checkpoints, from 1
export const SERIES_FREED_SLOT = 60; // u32 blocks that end at or before this slot were freed

export const SERIES_FLAG_DEAD = 1; // freed: prefixes that lead here are stale
export const SERIES_FLAG_REBIND = 2; // prefixes that lead here are to be looked at anew
// The low 24 bits of COUNT, less samples that were not exported to JSON the last time.
export const SERIES_FLAGS_COUNT_SHIFT = 8;

// A block's address in the directory has its low four bits free (blocks are 16-byte aligned).
export const BLOCK_ADDRESS_MASK = -16;
export const BLOCK_FLAG_SAVED = 1;
export const BLOCK_FLAG_ARCHIVED = 2;
export const BLOCK_FLAG_SAVING = 4; // in a checkpoint that is not published yet
export const BLOCK_FLAG_EXPORTED = 8; // in a JSON file, as far as that goes
export const BLOCK_FLAGS = 15;

// Sealed block: BLOCK_HEADER_BYTES, then the payload; never changed once sealed.
export const BLOCK_HEADER_BYTES = 32;
export const BLOCK_START = 0; // u32 slot of the first value
export const BLOCK_WORD = 4; // u32 bit field, see below
export const BLOCK_SUM = 8; // f64 over the samples present
export const BLOCK_MIN = 16; // f64
export const BLOCK_MAX = 24; // f64
export const BLOCK_BYTES_MAX = 1168; // header, bitmap, 128 raw values

// BLOCK_WORD: bits 0-6 slots - 1, 7-13 samples present - 1, 14-16 codec, 17 has a bitmap of
// present slots (16 bytes, first in the payload), 18-22 decimal exponent, 23-28 bits a value,
// 29-31 exceptions (0 … 7).
export const WORD_COUNT_SHIFT = 7;
export const WORD_CODEC_SHIFT = 14;
export const WORD_BITMAP = 131072;
export const WORD_EXPONENT_SHIFT = 18;
export const WORD_BITS_SHIFT = 23;
export const WORD_EXCEPTIONS_SHIFT = 29;

export const CODEC_CONSTANT = 0; // every present value is MIN, bit for bit
export const CODEC_FOR32 = 1; // integers value * 10^exponent, minus the smallest, 0 … 32 bits, 4 lanes
export const CODEC_FOR64 = 2; // the same, up to 53 bits, 2 lanes
export const CODEC_DELTA = 3; // differences of such integers, minus the smallest one, up to 32 bits
export const CODEC_RAW = 4; // Float64 each slot

// Prefix entry: PREFIX_HEADER_BYTES, then the raw bytes, padded to 8. Its memory is only ever
// reused for another entry of the same size, so a stale successor still points at an entry.
export const PREFIX_HEADER_BYTES = 24;
export const PREFIX_HASH = 0; // u32 over the bytes up to and with the first unescaped space
export const PREFIX_NEXT = 4; // u32 next entry of the same bucket
export const PREFIX_SERIES = 8; // u32 series address; of an ignored one 1: its sub-cluster does not have the metric
export const PREFIX_SUCCESSOR = 12; // u32 the entry that followed last time
export const PREFIX_LENGTH = 16; // u16 bytes; of a series with `value=`
export const PREFIX_KIND = 18; // u8 PREFIX_KIND_*; 0 = free
export const PREFIX_USED = 19; // u8 second-chance bit
export const PREFIX_CONTEXT = 20; // u32 default cluster it was read under; 0 = names its own
export const PREFIX_TAGS_SHIFT = 8; // bits of a hash from here on are of the tags alone: of all from the first comma on
export const PREFIX_KIND_SERIES = 1;
export const PREFIX_FIELD_BYTES = 6; // `value=`, behind the space: bytes of a series' prefix that are not hashed
export const PREFIX_KIND_IGNORED = 2;
export const PREFIX_LENGTH_MAX = 1024; // longer ones take the slow road each time
// Of a series as well, but its lines are counted and their values converted first: behind the raw
// bytes, padded to 8, lie CONVERSION_BYTES that other entries do not have.
export const PREFIX_KIND_CONVERTED = 3;

// A conversion: the decimal point moves, then (value * MULTIPLIER + ADDEND) / DIVISOR.
export const CONVERSION_BYTES = 32;
export const CONVERSION_MULTIPLIER = 0; // f64
export const CONVERSION_ADDEND = 8; // f64
export const CONVERSION_DIVISOR = 16; // f64
export const CONVERSION_SHIFT = 24; // i32 digits that the point moves to the right
export const CONVERSION_TALLY = 28; // u32 address of the tally of its lines

// Tallies of lines whose unit is not their metric's, in the state region.
export const TALLY_BYTES = 16;
export const TALLY_LINES = 0; // f64
export const TALLY_LAST_SEC = 8; // u32 arrival of the newest line
export const TALLY_CONVERTED = 1458176; // STATE_BASE + 16384: lines that were converted
export const TALLY_MISMATCHED = 1458192; // all lines whose unit can not be, and those in no row
export const TALLY_ROWS = 1458208; // one for each row of the list of mismatches
export const TALLY_ROWS_MAX = 5000;

// What `ingest` leaves in the state region when it returns (u32 each).
export const INGEST_LINE = 0; // address of the line it stopped at
export const INGEST_WRITTEN = 4; // samples stored by this call
export const INGEST_IGNORED = 8; // lines ignored by a bound prefix
export const INGEST_LINES = 12; // lines passed, blank ones too
export const INGEST_REMOVED = 16; // of those ignored: by prefixes that say so (PREFIX_SERIES is 1)
// Of a line of a new series whose tags are known, or are those of the line before but for the id (INGEST_NEW_SERIES):
export const NEW_LEVEL = 20; // index of the level that they name, or that those of the line before do
export const NEW_METRIC_BYTES = 24; // of the metric's name, with which the line begins
export const NEW_PREFIX_BYTES = 28; // of its prefix, with `value=`
export const NEW_CONTEXT = 32; // that the prefix is bound under
export const NEW_TIME = 36; // Unix seconds
export const NEW_VALUE = 40; // f64
export const NEW_NEXT = 48; // address of the line behind it
export const NEW_ID = 52; // address of the id that is another one, all digits: the value of its last tag, `type-id`
export const NEW_ID_BYTES = 56; // of this id; 0 = the tags are known
export const ALLOC_TABLE = 4096; // allocator: first partial page of each size class
// How often something was freed, and the second before which all of it was (u32); behind the tallies.
export const FREED_COUNT = 98304;
export const FREED_BEFORE_SEC = 98308;
// How often something was written to a time that had been settled: a u32 for each CHANGES_SEC seconds,
// modulo CHANGES_COUNT.
export const CHANGES_TABLE = 98368;
export const CHANGES_COUNT = 4096;
export const CHANGES_SEC = 1024;
export const INGEST_DONE = 0;
export const INGEST_SLOW_LINE = 1; // the line at INGEST_LINE wants the control plane
export const INGEST_LOW_MEMORY = 2; // free something, then call again from INGEST_LINE
export const INGEST_LOG_FULL = 3; // write the log's records, then call again from INGEST_LINE
export const INGEST_NEW_SERIES = 4; // the line at INGEST_LINE is of a level that is known: NEW_* has its parts

// Lines whose tags are remembered, by these: sets of TAGS_WAYS addresses of prefix entries (u32, 0 = none).
export const TAGS_TABLE = 114816;
export const TAGS_SETS = 1024;
export const TAGS_WAYS = 2;

// In the state region, behind all else: the second before which all is that was ever archived (u32), also
// before a restart; 0 = nothing was.
export const ARCHIVED_BEFORE_SEC = 98312;

// Log: a frame is what one turn wrote; see ../log/FORMAT.md. Records lie behind the frame's header.
export const FRAME_HEADER_BYTES = 32;
export const FRAME_MAGIC = 0; // u32
export const FRAME_BYTES = 4; // u32 of the records
export const FRAME_CHECKSUM = 8; // u64 of all behind it
export const FRAME_SEQUENCE = 16; // f64 number of the frame, from 1
export const FRAME_TIME_MS = 24; // f64 Unix milliseconds
export const LOG_MAGIC = 826044237; // "MSL1"
// A record begins with u32: kind in the low 8 bits, above them a count (samples) or bytes (others).
export const RECORD_SAMPLES = 1; // u32 series, u32 second, count doubles: of series, series + 1, …
export const RECORD_SERIES = 2; // a new series, JSON
export const RECORD_FREE = 3; // what the API freed, JSON
export const RECORD_REGRID = 4; // a series is put onto the grid of another step, under another number
export const RECORD_HEADER_BYTES = 4;
export const SAMPLES_HEADER_BYTES = 12;

// Table of series by number, for restoring: u32 address (0 = none), u32 frame before which its
// samples are in the checkpoint (counted from the checkpoint's first).
export const TABLE_ENTRY_BYTES = 8;
/** Numbers of series that have a place in it, since it lies in the answer region. */
export const SERIES_IDS_MAX = 33554432;

// Metrics of a manifest, for restoring a level: u32 index now (RESTORE_UNKNOWN = none), u32 step.
export const RESTORE_METRIC_BYTES = 8;
export const RESTORE_UNKNOWN = 4294967295;
/** A bit of an address that \`restoreLevel\` gives: the state of that series makes no sense. */
export const RESTORE_UNSOUND = 1;

// State of a series in a checkpoint: SAVED_BYTES, then its head and its growing block as sealed blocks.
export const SAVED_BYTES = 48;
export const SAVED_ID = 0; // u32
export const SAVED_METRIC = 4; // u16
export const SAVED_EXPONENT = 6; // u8
export const SAVED_BLOCKS = 7; // u8 bit 0: a head follows, bit 1: a block follows
export const SAVED_LAST_SLOT = 8; // u32
export const SAVED_NEXT_LOW = 12; // u32
export const SAVED_NEXT_SPAN = 16; // u32
export const SAVED_LAST_TIME = 20; // u32
export const SAVED_COUNT = 24; // u32
export const SAVED_FREED_AT = 28; // u32
export const SAVED_FREED_SLOT = 32; // u32
export const SAVED_HEAD_SLOT = 36; // u32
export const SAVED_SIZE = 40; // u32 bytes with what follows
export const SAVED_HEAD = 1;
export const SAVED_GROWING = 2;

// Blocks of a series in a checkpoint: this header, then the blocks one behind the other.
export const SAVED_RUN_BYTES = 12;
export const SAVED_RUN_ID = 0; // u32
export const SAVED_RUN_SIZE = 4; // u32 bytes of the blocks
export const SAVED_RUN_START = 8; // u32 slot of the first value, for a short header
export const PLAIN_RUN_BYTES = 8; // the same as it was before there were short headers: without START

// Short header of a saved block that begins where the one in front of it ends, in place of
// BLOCK_HEADER_BYTES; BLOCK_WORD is where it is in those, its codec xor CODEC_SHORT_MASK.
export const SHORT_HEADER_BYTES = 16;
export const SHORT_RANGE = 0; // 24 bits largest less smallest integer; i8: as SHORT_ULPS, of the total / 10^exponent
export const SHORT_LEAST = 8; // i32 smallest integer
export const SHORT_REST = 12; // u32 total of the integers less the smallest as often
export const SHORT_ULPS = 0; // i32, of a constant: steps of a Float64 from value x count to SUM
export const SHORT_VALUE = 8; // f64, of a constant
export const CODEC_SHORT = 5; // the first that says so: 5 differences, 6 constant, 7 packed, narrow
export const CODEC_SHORT_MASK = 6;

// `nextRun` leaves the tags of the run's lines in the state region (u32 each).
export const RUN_CLUSTER = 64; // address of the cluster's name, 0 = none
export const RUN_CLUSTER_BYTES = 68;
export const RUN_HOST = 72;
export const RUN_HOST_BYTES = 76;
export const RUN_LINES = 80;
export const RUN_IS_OPEN = 84; // 1 = a text in quotes has no end: what is put behind it may look like one

// Answers travel in batches; batch b lies in half b % 2 of the answer region.
export const CONTROL_BATCH_CONSUMED = 192; // front: the newest batch it has sent on
export const CONTROL_MESSAGES = 256; // front: messages with queries that it has sent
export const CONTROL_COUNTERS = 1024; // Float64 each, in the order of src/protocol/counters.ts
export const CONTROL_TURN_TIMES = 3072; // histograms of Float64: 256 counters fit before, 1 KiB behind

// Summary of samples: SUMMARY_BYTES of Float64, see exports/statistics.ts. Values are NaN where there
// is no sample, or where they were not wanted.
export const SUMMARY_COUNT = 0;
export const SUMMARY_SUM = 8;
export const SUMMARY_MIN = 16;
export const SUMMARY_MAX = 24;
export const SUMMARY_MEAN = 32;
export const SUMMARY_SQUARES = 40; // squares of differences from the mean, summed
export const SUMMARY_FIRST = 48;
export const SUMMARY_FIRST_SLOT = 56;
export const SUMMARY_LAST = 64;
export const SUMMARY_LAST_SLOT = 72;
export const SUMMARY_HELD = 80; // each value times the slots that it holds, summed
export const SUMMARY_HELD_SLOTS = 88;
export const SUMMARY_BYTES = 96;

// What a summary is wanted to have besides count, sum, min and max.
export const WANTS_SQUARES = 1; // MEAN and SQUARES
export const WANTS_ENDS = 2; // FIRST and LAST
export const WANTS_HELD = 4; // HELD and HELD_SLOTS

/** Slots that a sample holds at most, its own counted: health calls a series stale after so many. */
export const HOLD_SLOTS = 5;

// Sketch of a distribution: u32 counts of values by their sign, exponent and first bits of the
// significand, which are the upper bits of a double.
export const SKETCH_BUCKET_SHIFT = 13; // of a double's upper word
export const SKETCH_BUCKETS = 524288;
export const SKETCH_BYTES = 2097152;
// How `resample` makes one value of a cell's samples.
export const RESAMPLE_LTTB = 0;
export const RESAMPLE_MINMAXLTTB = 1;
export const RESAMPLE_MINMAX = 2;
export const RESAMPLE_M4 = 3;
export const RESAMPLE_AVERAGE = 4;
export const RESAMPLE_MIN = 5;
export const RESAMPLE_MAX = 6;
export const RESAMPLE_SUM = 7;
export const RESAMPLE_FIRST = 8;
export const RESAMPLE_LAST = 9;
export const RESAMPLE_COUNT = 10;
export const RESAMPLE_SIMPLE = 11;

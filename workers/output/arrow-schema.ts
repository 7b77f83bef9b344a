import { Builder } from 'flatbuffers';
import { encapsulate, HEADER_SCHEMA } from './arrow-message.js';
import { SELECT_COLUMN, TEXT_KEYS } from './result-keys.js';

/** Types of columns; `values` = a list of Float64, `seconds` = a point in time. */
export type ArrowType = 'int32' | 'float64' | 'seconds' | 'utf8' | 'values';

export interface ArrowColumn {
  readonly name: string;
  readonly type: ArrowType;
  readonly isNullable: boolean;
}

/** Values of the union Type of Schema.fbs. */
const TYPE_INT = 2;
const TYPE_FLOATING_POINT = 3;
const TYPE_UTF8 = 5;
const TYPE_TIMESTAMP = 10;
const TYPE_LIST = 12;
const PRECISION_DOUBLE = 2;

/**
 * Columns of a table with a row a series, and these columns of statistics. The values come last, so
 * that their place in a batch is known when all else is.
 */
export function arrowColumns(statColumns: readonly string[]): ArrowColumn[] {
  const column = (name: string, type: ArrowType, isNullable: boolean): ArrowColumn => ({
    name,
    type,
    isNullable,
  });
  return [
    column(SELECT_COLUMN, 'int32', false),
    ...TEXT_KEYS.map((key) => column(key.column, 'utf8', key.field !== 'metric')),
    column('series', 'int32', false),
    column('coverage', 'float64', false),
    ...statColumns.map((name) => column(name, 'float64', true)),
    column('start', 'seconds', true),
    column('step', 'int32', true),
    column('values', 'values', true),
  ];
}

/** The first message of a stream. */
export function schemaMessage(columns: readonly ArrowColumn[]): Uint8Array {
  const builder = new Builder(1024);
  const fields = addVector(
    builder,
    columns.map((column) => addField(builder, column)),
  );
  // Endianness is left out: little.
  builder.startObject(4);
  builder.addFieldOffset(1, fields, 0);
  return encapsulate(builder, HEADER_SCHEMA, builder.endObject(), 0);
}

function addField(builder: Builder, { name, type, isNullable }: ArrowColumn): number {
  const item: ArrowColumn = { name: 'item', type: 'float64', isNullable: true };
  const children = addVector(builder, type === 'values' ? [addField(builder, item)] : []);
  const nameOffset = builder.createString(name);
  const [typeNumber, typeOffset] = addType(builder, type);
  builder.startObject(7);
  builder.addFieldOffset(0, nameOffset, 0);
  builder.addFieldInt8(1, isNullable ? 1 : 0, 0);
  builder.addFieldInt8(2, typeNumber, 0);
  builder.addFieldOffset(3, typeOffset, 0);
  builder.addFieldOffset(5, children, 0);
  return builder.endObject();
}

/** The type's number in its union, and its table. */
function addType(builder: Builder, type: ArrowType): [number, number] {
  switch (type) {
    case 'int32':
      builder.startObject(2);
      builder.addFieldInt32(0, 32, 0);
      builder.addFieldInt8(1, 1, 0);
      return [TYPE_INT, builder.endObject()];
    case 'float64':
      builder.startObject(1);
      builder.addFieldInt16(0, PRECISION_DOUBLE, 0);
      return [TYPE_FLOATING_POINT, builder.endObject()];
    case 'seconds': {
      const zone = builder.createString('UTC');
      // The unit is left out: seconds.
      builder.startObject(2);
      builder.addFieldOffset(1, zone, 0);
      return [TYPE_TIMESTAMP, builder.endObject()];
    }
    case 'utf8':
      builder.startObject(0);
      return [TYPE_UTF8, builder.endObject()];
    case 'values':
      builder.startObject(0);
      return [TYPE_LIST, builder.endObject()];
  }
}

function addVector(builder: Builder, offsets: readonly number[]): number {
  builder.startVector(4, offsets.length, 4);
  for (let i = offsets.length - 1; i >= 0; i--) builder.addOffset(offsets[i]!);
  return builder.endVector();
}

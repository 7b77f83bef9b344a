import { Builder } from 'flatbuffers';

/**
 * Encapsulated messages of an Arrow IPC stream: a marker, the length of the metadata, the metadata
 * as a FlatBuffer, zeros up to a multiple of 8. What is written here is described in FORMAT.md;
 * tables and their fields are those of Arrow's Message.fbs and Schema.fbs.
 */
const MARKER = 0xffffffff;
const PREFIX_BYTES = 8;
const VERSION_V5 = 4;
/** Values of the union MessageHeader. */
export const HEADER_SCHEMA = 1;
export const HEADER_RECORD_BATCH = 3;
/** Of the structs FieldNode and Buffer: two 64-bit integers. */
const STRUCT_BYTES = 16;

/** The end of a stream: a message without metadata. */
export const ARROW_END = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);

/** Bytes rounded up to where a buffer or message may end. */
export function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/**
 * The metadata of a batch, with what comes before it. `nodes` has rows and nulls of each column,
 * a list's items behind it; `buffers` has offset and bytes of each buffer. The size depends on the
 * number of them only.
 */
export function recordBatchMessage(
  rows: number,
  nodes: readonly number[],
  buffers: readonly number[],
  bodyBytes: number,
): Uint8Array {
  const builder = new Builder(1024);
  const buffersOffset = addPairs(builder, buffers);
  const nodesOffset = addPairs(builder, nodes);
  builder.startObject(5);
  builder.addFieldInt64(0, BigInt(rows), 0n);
  builder.addFieldOffset(1, nodesOffset, 0);
  builder.addFieldOffset(2, buffersOffset, 0);
  const batch = builder.endObject();
  return encapsulate(builder, HEADER_RECORD_BATCH, batch, bodyBytes);
}

/** Ends a message whose header table is at `header`. */
export function encapsulate(
  builder: Builder,
  headerType: number,
  header: number,
  bodyBytes: number,
): Uint8Array {
  builder.startObject(5);
  builder.addFieldInt16(0, VERSION_V5, 0);
  builder.addFieldInt8(1, headerType, 0);
  builder.addFieldOffset(2, header, 0);
  builder.addFieldInt64(3, BigInt(bodyBytes), 0n);
  builder.finish(builder.endObject());
  const metadata = builder.asUint8Array();
  const message = new Uint8Array(PREFIX_BYTES + padded(metadata.length));
  const view = new DataView(message.buffer);
  view.setUint32(0, MARKER);
  view.setUint32(4, message.length - PREFIX_BYTES, true);
  message.set(metadata, PREFIX_BYTES);
  return message;
}

/** A vector of structs of two integers each. FlatBuffers are built from the end. */
function addPairs(builder: Builder, pairs: readonly number[]): number {
  builder.startVector(STRUCT_BYTES, pairs.length / 2, 8);
  for (let i = pairs.length - 1; i >= 0; i--) builder.addInt64(BigInt(pairs[i]!));
  return builder.endVector();
}

import type { Encoding } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { compress } from 'zstd-napi';

/**
 * Level 3 is a tenth smaller than level 1 here and costs 20 ns a row. With a checksum: of a flipped bit
 * there would be wrong values else.
 */
const OPTIONS = { compressionLevel: 3, checksumFlag: true };

/** A page as it lies in the file, header included. */
export interface Page {
  readonly bytes: Uint8Array;
  readonly rawBytes: number;
  readonly rows: number;
  readonly encoding: Encoding;
}

/** A data page (version 2) of a column without nulls. */
export function dataPage(body: Uint8Array, rows: number, encoding: Encoding): Page {
  const packed = compress(body, OPTIONS);
  return page(packed, body.length, rows, encoding, {
    type: 'DATA_PAGE_V2',
    uncompressed_page_size: body.length,
    compressed_page_size: packed.length,
    data_page_header_v2: {
      num_values: rows,
      num_nulls: 0,
      num_rows: rows,
      encoding,
      definition_levels_byte_length: 0,
      repetition_levels_byte_length: 0,
      is_compressed: true,
    },
  });
}

/** A dictionary page; `body` is plain. */
export function dictionaryPage(body: Uint8Array, values: number): Page {
  const packed = compress(body, OPTIONS);
  return page(packed, body.length, 0, 'PLAIN', {
    type: 'DICTIONARY_PAGE',
    uncompressed_page_size: body.length,
    compressed_page_size: packed.length,
    dictionary_page_header: { num_values: values, encoding: 'PLAIN' },
  });
}

function page(
  packed: Uint8Array,
  bodyBytes: number,
  rows: number,
  encoding: Encoding,
  header: Parameters<typeof writePageHeader>[1],
): Page {
  const writer = new ByteWriter(64);
  writePageHeader(writer, header);
  const rawBytes = writer.offset + bodyBytes;
  const bytes = Buffer.concat([writer.getBytes(), packed]);
  return { bytes, rawBytes, rows, encoding };
}

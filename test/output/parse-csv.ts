/**
 * Records of a CSV text by the grammar of RFC 4180, with nothing overlooked: each ends with carriage
 * return and line feed, a quote begins a field or is doubled, and an unquoted field has none of the
 * four.
 */
export function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  let at = 0;
  while (at < text.length) {
    let field = '';
    if (text[at] === '"') {
      at++;
      for (;;) {
        const close = text.indexOf('"', at);
        if (close < 0) throw new Error('a quote is not closed');
        field += text.slice(at, close);
        at = close + 1;
        if (text[at] !== '"') break;
        field += '"';
        at++;
      }
    } else {
      const plain = /[^",\r\n]*/y;
      plain.lastIndex = at;
      field = plain.exec(text)![0];
      at += field.length;
    }
    record.push(field);
    if (text[at] === ',') {
      at++;
    } else if (text.startsWith('\r\n', at)) {
      at += 2;
      records.push(record);
      record = [];
    } else {
      throw new Error(`at ${at}: ${JSON.stringify(text.slice(at, at + 20))}`);
    }
  }
  if (record.length > 0) throw new Error('the last record does not end');
  return records;
}

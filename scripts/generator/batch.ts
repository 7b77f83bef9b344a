/** A line is a sample as it should be. */
export const FORM_PLAIN = 0;
/** The same in the metric's other unit, with a tag that says so. */
export const FORM_OTHER_UNIT = 1;
/** A line that can not be read. */
export const FORM_BAD = 2;
/** An event of a job; no metric. */
export const FORM_EVENT = 3;

/** What a host sends at a time, line by line: columns, of which one object is filled again and again. */
export class Batch {
  count = 0;
  /** Index in the host's kind. */
  series = new Int32Array(1024);
  /** As its clock tells. */
  stampSec = new Float64Array(1024);
  /** The value without its point. */
  digits = new Float64Array(1024);
  form = new Uint8Array(1024);

  add(series: number, stampSec: number, digits: number, form: number): void {
    if (this.count === this.series.length) this.#grow();
    const at = this.count++;
    this.series[at] = series;
    this.stampSec[at] = stampSec;
    this.digits[at] = digits;
    this.form[at] = form;
  }

  clear(): void {
    this.count = 0;
  }

  #grow(): void {
    const length = 2 * this.count;
    const { series, stampSec, digits, form } = this;
    this.series = new Int32Array(length);
    this.stampSec = new Float64Array(length);
    this.digits = new Float64Array(length);
    this.form = new Uint8Array(length);
    this.series.set(series);
    this.stampSec.set(stampSec);
    this.digits.set(digits);
    this.form.set(form);
  }
}

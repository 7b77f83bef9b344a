/** The JSON Schema forms that our configuration needs; it is the documentation's source as well. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly description: string;
  readonly default?: unknown;
  /** Shown in the documentation in place of `default`. */
  readonly defaultText?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxProperties?: number;
  /** One of `FORMATS` in formats.ts. */
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
  /** A key of the reference whose feature this version does not have: checked, reported, not used. */
  readonly unused?: boolean;
}

/** A section: it has these keys and no others. */
export function object(description: string, properties: Readonly<Record<string, Schema>>): Schema {
  return { type: 'object', description, properties, additionalProperties: false };
}

/** A text that may be left out. */
export function text(description: string): Schema {
  return { type: 'string', default: '', description };
}

/** A key of the reference that has no effect here. */
export function unused(type: string | undefined, description: string): Schema {
  return { ...(type === undefined ? {} : { type }), description, unused: true };
}

import type { ValidateFunction } from 'ajv';

/** Made from schema.ts by scripts/compile-schema.ts when the project is built. */
export function makeValidator(
  formats: Readonly<Record<string, (text: string) => boolean>>,
): ValidateFunction;

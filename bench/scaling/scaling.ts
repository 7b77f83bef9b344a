/** Where costs grow, and how. */
export async function studyScaling(argv: string[]): Promise<void> {
  throw new Error(`scaling ${argv.join(' ')}`);
}

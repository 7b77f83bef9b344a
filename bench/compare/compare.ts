/** The same data and questions for every store of this machine. */
export async function compareStores(argv: string[]): Promise<void> {
  throw new Error(`compare ${argv.join(' ')}`);
}

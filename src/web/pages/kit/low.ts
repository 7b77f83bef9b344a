/** What a page asks waits for all others, and gives way to what comes in. */
export const LOW = { priority: 'low' } as const;
export const QUERY_PATH = 'api/v2/query';

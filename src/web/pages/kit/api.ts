/** The root of the store: pages lie one folder below it, also behind a proxy that puts it elsewhere. */
export const ROOT = new URL('../', document.baseURI);

export type Parameters = Readonly<
  Record<string, string | number | boolean | readonly string[] | undefined>
>;

/** An answer that is an error, in the store's own words; status 0 = there was no answer. */
export class ApiError extends Error {
  readonly status: number;
  readonly retryAfterSec: number;

  constructor(status: number, message: string, retryAfterSec = 0) {
    super(message);
    this.status = status;
    this.retryAfterSec = retryAfterSec;
  }
}

/** Address of a path such as `api/v2/status`; '' and undefined are left out, lists are repeated. */
export function urlOf(path: string, parameters: Parameters = {}): URL {
  const url = new URL(path, ROOT);
  for (const [name, value] of Object.entries(parameters)) {
    const values = Array.isArray(value) ? (value as readonly string[]) : [value];
    for (const one of values) {
      if (one !== undefined && one !== '') url.searchParams.append(name, String(one));
    }
  }
  return url;
}

/** Rejects with ApiError, or with the signal's reason. */
export async function getJson<Answer>(
  path: string,
  parameters: Parameters = {},
  signal?: AbortSignal,
): Promise<Answer> {
  return jsonOf(await ask(urlOf(path, parameters), { signal }));
}

/** Posts a value as JSON; rejects as `getJson` does. */
export async function postJson<Answer>(
  path: string,
  body: unknown,
  parameters: Parameters = {},
  signal?: AbortSignal,
): Promise<Answer> {
  const init = { method: 'POST', body: body === undefined ? '' : JSON.stringify(body), signal };
  return jsonOf(await ask(urlOf(path, parameters), init));
}

/** The answer of any kind, if it is a success; rejects as `getJson` does. */
export async function ask(
  url: URL,
  init: RequestInit & { signal?: AbortSignal | undefined },
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init as RequestInit);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, 'the store does not answer');
  }
  if (response.ok) return response;
  const text = await response.text();
  const retryAfterSec = Number(response.headers.get('retry-after') ?? 0);
  throw new ApiError(response.status, messageOf(text) || response.statusText, retryAfterSec);
}

async function jsonOf<Answer>(response: Response): Promise<Answer> {
  return (await response.json()) as Answer;
}

function messageOf(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === 'string' ? error : text;
  } catch {
    return text;
  }
}

/** What is not chosen otherwise: the mean of each point's samples, which a band goes well with. */
export const RESAMPLE_DEFAULT = 'avg';
/** In the order of the table. */
export const STATISTICS = ['avg', 'min', 'max', 'p95', 'stddev', 'last', 'count'] as const;

/** A selection of `POST /api/v2/query`, as far as the page makes such. */
export interface Selection {
  readonly metric: string | readonly string[];
  readonly hosts?: string;
  readonly scope?: string;
  readonly ids?: string;
  readonly 'sub-ids'?: readonly string[];
  readonly aggregate?: string;
  readonly by?: string | readonly string[];
  readonly points: number;
  readonly resample: string;
  readonly unit?: string;
  readonly stats?: readonly string[] | undefined;
}

export interface SelectRequest {
  readonly cluster: string;
  readonly from: number;
  readonly to: number;
  readonly select: readonly Selection[];
}

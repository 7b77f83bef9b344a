import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  MANIFEST_NAME,
  readManifestFile,
  type Manifest,
} from '../../workers/checkpoint/manifest.js';
import { DamageError } from '../../workers/checkpoint/section-file.js';
import { timeText, type FileReport } from './report.js';
import type { FileKind } from './tools.js';

/** The manifest of a shard's checkpoint. Files that it names have to be there, in their sizes. */
export const MANIFEST_FILE: FileKind = {
  name: 'manifest of a checkpoint',
  hasName: (name) => MANIFEST_NAME.test(name),
  begins: (first) => first.toString('latin1').startsWith('{"format":1,"checkpoint":'),
  inspect: (path, report) => {
    let manifest: Manifest;
    try {
      manifest = readManifestFile(path);
    } catch (error) {
      if (!(error instanceof DamageError)) throw error;
      const lost = 'what belongs to the checkpoint, if its other copy is damaged, too';
      report.damages.push({ offset: 0, reason: error.reason, lost });
      return;
    }
    const { series, segments, metrics } = manifest;
    report.version = String(manifest.format);
    report.facts = {
      checkpoint: manifest.checkpoint,
      saved: timeText(manifest.savedAtMs / 1000),
      'first frame of the log': manifest.firstFrame,
      'first log file': manifest.firstLog,
      'next series': manifest.nextSeriesId,
      metrics: metrics.length,
      'series file': series.file,
      series: series.count,
      segments: segments.length,
      'bytes of all': segments.reduce((sum, { bytes }) => sum + bytes, series.bytes),
    };
    checkNamed(path, series, `the state of ${series.count} series`, report);
    for (const segment of segments) {
      const { untilSec } = segment;
      checkNamed(
        path,
        segment,
        `its blocks, none of which is later than ${timeText(untilSec)}`,
        report,
      );
    }
  },
};

function checkNamed(
  path: string,
  { file, bytes }: { readonly file: string; readonly bytes: number },
  lost: string,
  report: FileReport,
): void {
  const found = statSync(join(dirname(path), file), { throwIfNoEntry: false });
  if (found?.size === bytes) return;
  const has = found ? `has ${found.size}` : 'is missing';
  report.damages.push({ offset: -1, reason: `${file} of ${bytes} bytes ${has}`, lost });
}

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { packTar } from 'modern-tar';
import { type DoctorInput, examine } from '../doctor/doctor.ts';
import { describeGroup } from '../doctor/report.ts';
import { groupFindings } from '../doctor/subject.ts';
import { mapConcurrently } from '../engine/concurrency.ts';
import { StellarError } from '../engine/errors.ts';
import { tryRead } from '../kube/access.ts';
import { collect, type Report } from './collect.ts';
import { Contents, type ReportFile } from './contents.ts';
import { findTargets, type Missing, type Role } from './targets.ts';

/** The input of a report. */
export interface ReportInput extends DoctorInput {
  /** The tree of the installation, as in `status`. */
  status: () => Promise<object>;
  /** The version of stellarctl. */
  version: string;
}

/** The contents of an archive. The fields are an interface: docs/output.md. */
export interface ReportIndex {
  /** RFC 3339. */
  created: string;
  stellarctl: string;
  clusters: { name: string; context: string; server: string; roles: Role[]; version: string }[];
  missing: Missing[];
  files: string[];
}

/** The limit of clusters that are read concurrently. */
const clustersAtOnce = 8;

/**
 * Reads everything a colleague needs from an installation, and redacts secrets. The index lists what is not available.
 * @throws StellarError `unreachable` if no cluster answers
 */
export async function makeReport(input: ReportInput): Promise<{ index: ReportIndex; files: ReportFile[] }> {
  const { targets, missing } = await findTargets(input);
  const contents = new Contents();
  const report = { contents, missing };
  const created = new Date().toISOString();
  const [versions] = await Promise.all([
    mapConcurrently(targets, clustersAtOnce, (target) => collect(target, report)),
    addDocument(report, 'doctor', async () => ({ items: groupFindings(await examine(input)).map(describeGroup) })),
    addDocument(report, 'status', input.status),
  ]);
  const clusters = targets.flatMap(({ name, kube, roles }, index) => {
    const version = versions[index];
    const { context, server } = kube.cluster;
    return version === undefined ? [] : [{ name, context, server, roles: [...roles], version }];
  });
  if (clusters.length === 0)
    throw new StellarError('unreachable', 'None of the clusters could be reached, so there is nothing to report.', {
      details: missing.flatMap(({ cluster, why }) => (cluster === '' ? [] : `${cluster}: ${why}`)),
    });
  const files = contents.files.map(({ path }) => path).sort();
  const index = { created, stellarctl: input.version, clusters, missing, files };
  contents.addDocument(['index'], index);
  return { index, files: contents.files.sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

async function addDocument(report: Report, what: string, read: () => Promise<object>): Promise<void> {
  const document = await tryRead(read);
  if (document.state === 'seen') report.contents.addDocument([what], document.value);
  else report.missing.push({ cluster: '', what, why: document.why });
}

/** Packs files into a compressed tar archive. @param folder the folder of all files in it */
export async function pack(files: readonly ReportFile[], folder: string): Promise<Uint8Array> {
  const mtime = new Date();
  const entries = files.map(({ path, content }) => {
    const body = Buffer.from(content);
    return {
      header: { name: `${folder}/${path}`, size: body.length, mode: 0o600, mtime, type: 'file' as const },
      body,
    };
  });
  return promisify(gzip)(await packTar(entries));
}

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { packTar } from 'modern-tar';
import { type DoctorInput, examine } from '../doctor/doctor.ts';
import { describeGroup } from '../doctor/report.ts';
import { groupFindings } from '../doctor/subject.ts';
import { mapConcurrently } from '../engine/concurrency.ts';
import { StellarError } from '../engine/errors.ts';
import type { Run } from '../engine/run.ts';
import { reading } from '../kube/access.ts';
import { collect, type Report } from './collect.ts';
import { Contents, type ReportFile } from './contents.ts';
import { findTargets, type Missing, type Role } from './targets.ts';

/** What a report is made of. */
export interface ReportInput extends DoctorInput {
  /** The tree of the installation, as `status` gives it. */
  status: () => Promise<object>;
  /** Of stellarctl. */
  version: string;
}

/** What an archive holds. The fields are an interface: docs/output.md. */
export interface ReportIndex {
  /** RFC 3339. */
  created: string;
  stellarctl: string;
  clusters: { name: string; context: string; server: string; roles: Role[]; version: string }[];
  missing: Missing[];
  files: string[];
}

/** How many clusters are read at once. */
const clustersAtOnce = 8;

/**
 * Reads all that a colleague needs of an installation, and takes out what nobody else should see. What cannot be had is in the index.
 * @throws StellarError `unreachable` where no cluster answers
 */
export async function makeReport(input: ReportInput, run: Run): Promise<{ index: ReportIndex; files: ReportFile[] }> {
  const { targets, missing } = await findTargets(input);
  const contents = new Contents();
  const report = { contents, missing };
  const created = new Date().toISOString();
  const [versions] = await Promise.all([
    mapConcurrently(targets, clustersAtOnce, (target) => collect(target, report)),
    addDocument(report, 'doctor', async () => ({ items: groupFindings(await examine(input, run)).map(describeGroup) })),
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
  const document = await reading(read);
  if (document.state === 'seen') report.contents.addDocument([what], document.value);
  else report.missing.push({ cluster: '', what, why: document.why });
}

/** Packs files into a tar archive, compressed. @param folder that all of them are in */
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

import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { isMap, isSeq, LineCounter, parseAllDocuments } from 'yaml';
import {
  check,
  type Fault,
  faultAt,
  offsetOf,
  refuseFaults,
  syntaxFaults,
} from '../core/checked-yaml.ts';
import { StellarError } from '../core/errors.ts';
import { readNamedOrStdin } from '../core/named-file.ts';
import { readCertificateAuthority, readDockerConfig } from '../ocm/hub/hub-access.ts';
import type { ManagedCluster } from '../ocm/model/ocm-objects.ts';
import type { JoinOptions } from '../wecs/join/join-options.ts';
import { type FleetDocument, fleetSchema } from './fleet-schema.ts';
import { fleetAnnotation } from './owned-values.ts';

type WecOfFile = NonNullable<FleetDocument['wecs']>[number];
type ValueFields = 'labels' | 'annotations' | 'properties' | 'join';
type Spaces = NonNullable<FleetDocument['spaces']>;

/** A WEC as the files want it, with the defaults of its document; its paths are absolute. */
export type FleetWec = WecOfFile & Required<Pick<WecOfFile, ValueFields>>;

export interface Fleet {
  name: string;
  its: NonNullable<Spaces['its']>;
  wds: NonNullable<Spaces['wds']>;
  wecs: FleetWec[];
}

/**
 * Reads a fleet from files, folders and stdin (`-`).
 * @throws StellarError `usage` with all faults of all files, each with its line: first those of each document by itself
 */
export async function readFleet(
  given: readonly string[],
  stdin: NodeJS.ReadableStream,
): Promise<Fleet> {
  const files = (await Promise.all(given.map(filesIn))).flat();
  const parsed: ReturnType<typeof parseFleets>[] = [];
  for (const file of files)
    parsed.push(parseFleets(file, await readNamedOrStdin(file, 'fleet', stdin)));
  const fleets = parsed.flatMap((each) => each.fleets);
  for (const faults of [parsed.flatMap((each) => each.faults), faultsAmong(fleets)])
    refuseFaults('fleet', faults);
  const [first] = fleets;
  if (first === undefined)
    throw new StellarError('usage', `${given.join(', ')} contains no Fleet.`);
  const spaces = fleets.flatMap(({ document }) => document.spaces ?? []);
  return {
    name: first.document.metadata.name,
    its: spaces.flatMap(({ its }) => its ?? []),
    wds: spaces.flatMap(({ wds }) => wds ?? []),
    wecs: fleets.flatMap(({ wecs }) => wecs.map(({ wec }) => wec)),
  };
}

async function filesIn(given: string) {
  const isFolder =
    given !== '-' && (await stat(given).catch(() => undefined))?.isDirectory() === true;
  if (!isFolder) return [given];
  const names = (await readdir(given)).filter((name) => /\.(ya?ml|json)$/.test(name)).sort();
  return names.map((name) => path.join(given, name));
}

/** A document, with the places of its names. */
type Parsed = ReturnType<typeof parseFleets>['fleets'][number];

function parseFleets(file: string, text: string) {
  const lines = new LineCounter();
  const source = { file: file === '-' ? 'stdin' : file, lines };
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  const faults: Fault[] = [];
  const fleets = documents.flatMap((each) => {
    if (each.contents === null && each.errors.length === 0) return [];
    const own = [
      ...syntaxFaults(each, source),
      ...(each.errors.length === 0 ? check(each, fleetSchema, source) : []),
    ];
    faults.push(...own);
    if (own.length > 0) return [];
    const document = each.toJS({ maxAliasCount: -1 }) as FleetDocument;
    const list = isMap(each.contents) ? each.contents.get('wecs') : undefined;
    const places = isSeq(list) ? list.items.map(offsetOf) : [];
    const wecs = (document.wecs ?? []).map((wec, index) => ({
      wec: withDefaults(wec, document.defaults, file),
      at: places[index] ?? 0,
    }));
    return { document, source, nameAt: offsetOf(each.getIn(['metadata', 'name'], true)), wecs };
  });
  return { fleets, faults };
}

function withDefaults(
  wec: WecOfFile,
  defaults: FleetDocument['defaults'] = {},
  file: string,
): FleetWec {
  const folder = file === '-' ? '.' : path.dirname(file);
  const inFolder = (name: string) => path.resolve(folder, name);
  const join = { ...defaults.join, ...wec.join };
  const { caFile, imagePullSecret } = join;
  return {
    ...wec,
    ...(wec.kubeconfig && { kubeconfig: inFolder(wec.kubeconfig) }),
    labels: { ...defaults.labels, ...wec.labels },
    annotations: { ...defaults.annotations, ...wec.annotations },
    properties: { ...defaults.properties, ...wec.properties },
    join: {
      ...join,
      ...(caFile && { caFile: inFolder(caFile) }),
      ...(imagePullSecret && { imagePullSecret: inFolder(imagePullSecret) }),
    },
  };
}

/** What only all documents together show. */
function faultsAmong(fleets: readonly Parsed[]): Fault[] {
  const faults: Fault[] = [];
  const names = new Map<string, string>();
  const fleet = fleets[0]?.document.metadata.name;
  for (const { document, source, nameAt, wecs } of fleets) {
    const { name } = document.metadata;
    if (name !== fleet)
      faults.push(faultAt(source, nameAt, `The fleet ${fleet} comes before: apply ${name} alone.`));
    for (const { wec, at } of wecs) {
      const fault = (message: string) => faults.push(faultAt(source, at, message));
      const there = `${source.file}:${source.lines.linePos(at).line}`;
      const other = names.get(wec.name);
      if (other !== undefined) fault(`The WEC ${wec.name} is listed twice, before at ${other}.`);
      names.set(wec.name, there);
      if (wec.kubeconfig !== undefined && wec.context === undefined)
        fault(`The WEC ${wec.name} has a kubeconfig and no context.`);
    }
  }
  return faults;
}

/**
 * How a fleet joins a WEC. A cluster that the ITS knows keeps its labels until the fleet applies its own: a join refuses to change
 * them. @throws StellarError `usage` for a file that cannot be read
 */
export async function joinOptionsOf(
  fleet: string,
  wec: FleetWec,
  present: ManagedCluster | undefined,
): Promise<JoinOptions> {
  const { caFile, imagePullSecret, ...settings } = wec.join;
  return {
    ...settings,
    certificateAuthority: caFile === undefined ? undefined : await readCertificateAuthority(caFile),
    imagePullSecret:
      imagePullSecret === undefined ? undefined : await readDockerConfig(imagePullSecret),
    accept: true,
    labels: present === undefined ? wec.labels : {},
    annotations: { ...(present === undefined ? wec.annotations : {}), [fleetAnnotation]: fleet },
  };
}

import { command } from '../core/command-line.ts';
import { advice, type Problem, run } from '../core/next-step.ts';
import type { Pod } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import type { PartialReader } from '../kube/partial-reader.ts';
import { hubNamespace, isOurs } from '../ocm/ocm-names.ts';
import { hubPrograms, wecPrograms } from '../ocm/program-versions.ts';
import { mayNotReadPods, type RunningVersion, runningVersions, versionWords } from '../ocm/running-versions.ts';
import { isMinorApart } from '../ocm/version-skew.ts';
import type { WecEvidence } from '../ocm/wec-evidence.ts';
import type { WecFindings } from './findings.ts';
import { wecProblem } from './problems.ts';

/** The versions that run on a WEC; the ITS does not know them. @param unseen why nothing of the WEC was read, if so */
export function wecVersions(wec: WecEvidence | undefined, unseen: string | undefined): RunningVersion[] {
  const { klusterlet, pods } = wec ?? {};
  const isHosted = klusterlet?.spec?.deployOption?.mode?.endsWith('Hosted');
  const unreadPods = isHosted ? 'it runs in another cluster' : pods === undefined ? mayNotReadPods : undefined;
  return runningVersions(wecPrograms(klusterlet), pods ?? [], unseen ?? unreadPods);
}

const unknownHooks = { controllerManager: undefined, transport: undefined, ocm: undefined, statusAddon: undefined };

/**
 * The version of OCM that an ITS runs, from the newest of its controllers' pods; undefined if they may not be read or run in
 * another cluster.
 */
export async function readOcmOfHub(hub: PartialReader): Promise<string | undefined> {
  const pods = (await hub.list<Pod>(resources.pods, { namespace: hubNamespace })) ?? [];
  return runningVersions(hubPrograms(unknownHooks), pods, undefined).flatMap(({ running }) => running ?? [])[0];
}

/** An agent of another minor version than its hub, or than its Klusterlet specifies. */
export function versionsApart({ wec, ocmOfHub, name, its }: WecFindings): Problem | undefined {
  const versions = wec === undefined ? [] : wecVersions(wec, undefined);
  const isOther = versions.some(({ running, differs }) => {
    const [version] = running ?? [];
    return differs || (version !== undefined && ocmOfHub !== undefined && isMinorApart(version, ocmOfHub));
  });
  if (wec === undefined || !isOther) return undefined;
  const { klusterlet } = wec;
  return wecProblem(
    'versions-apart',
    `${name} has ${versionWords(versions).join(', ')}; ${its} runs ${ocmOfHub === undefined ? 'an unknown version' : `OCM ${ocmOfHub}`}.`,
    klusterlet !== undefined && isOurs(klusterlet)
      ? run(command`stellarctl wec upgrade ${`${name}=${wec.context}`} --its ${its}`, 'Upgrade it')
      : advice(`Change the version where the Klusterlet of ${name} was installed from`),
  );
}

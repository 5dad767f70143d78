import { type CheckInfo, checksOfStages } from '../core/checks.ts';
import { commandOf, stepLines } from '../core/next-step.ts';
import { hubChecks } from '../ocm/hub/hub-checks.ts';
import { hookNames } from '../ocm/model/kubeflex-names.ts';
import { holeChecks } from '../ocm/versions/hub-holes.ts';
import { hostingStages } from '../spaces/hosting/hosting-stages.ts';
import { argoCdChecks } from '../spaces/space/argocd.ts';
import {
  externalChecks,
  validityChecks,
  wdsCredentialChecks,
} from '../spaces/space/credentials.ts';
import { itsStages } from '../spaces/space/its-stages.ts';
import { contextChecks } from '../spaces/space/space-access.ts';
import { isHub, itsOfWdsChecks, versionChecks } from '../spaces/space/space-checks.ts';
import { wdsStages } from '../spaces/space/wds-stages.ts';
import { wecChecks } from '../wecs/diagnose/wec-checks.ts';
import { probeCheck } from '../wecs/join/join-probe.ts';
import { equalCheck, workloadChecks } from '../workloads/workload-checks.ts';
import {
  hostingChecks,
  itsChecks,
  joiningChecks,
  machineChecks,
  programChecks,
} from './preflight-checks.ts';
import { type FindingGroup, type Subject, unseenChecks } from './subject.ts';

/** A check of doctor. */
export interface ListedCheck extends CheckInfo {
  /** The kind of its subject. */
  room: Subject['kind'];
  /** Runs only with --pre. */
  pre: boolean;
}

/** A hook of a control plane beside the hooks of KubeStellar. */
const otherHook = 'HOOK';

/** An ITS with all optional parts. */
const exampleIts = {
  type: 'vcluster' as const,
  jobs: [],
  controlPlane: {
    apiVersion: '',
    kind: '',
    metadata: { name: '' },
    spec: {
      postCreateHooks: [hookNames.hubInit, hookNames.statusAddon, otherHook].map((hookName) => ({
        hookName,
      })),
    },
  },
};

const listed = (
  room: Subject['kind'],
  pre: boolean,
  ...tables: (readonly CheckInfo[])[]
): ListedCheck[] => tables.flat().map(({ id, title }) => ({ id, title, room, pre }));

/** All checks of doctor, from the tables that doctor runs. */
export const catalogue: readonly ListedCheck[] = [
  ...listed('machine', true, programChecks, machineChecks),
  ...listed('hosting', true, hostingChecks),
  ...listed('hosting', false, unseenChecks('hosting'), checksOfStages('hosting', hostingStages)),
  ...listed('its', true, itsChecks),
  ...listed(
    'its',
    false,
    unseenChecks('its'),
    [isHub],
    checksOfStages('its', itsStages(exampleIts)),
    hubChecks,
    holeChecks,
    validityChecks('its'),
    externalChecks('its'),
    versionChecks('its'),
    contextChecks('its'),
  ),
  ...listed(
    'wds',
    false,
    unseenChecks('wds'),
    checksOfStages('wds', wdsStages),
    externalChecks('wds'),
    validityChecks('wds'),
    argoCdChecks,
    wdsCredentialChecks,
    itsOfWdsChecks,
    versionChecks('wds'),
    contextChecks('wds'),
    workloadChecks,
  ),
  ...listed('wec', false, unseenChecks('wec'), wecChecks, [equalCheck]),
  ...listed('wec', true, joiningChecks, [probeCheck]),
].filter(({ id }, index, all) => all.findIndex((other) => other.id === id) === index);

const ids = new Set(catalogue.map(({ id }) => id));

/** Where the documentation describes a check: a file of the repository, and an anchor in it. */
export const docsOf = (id: string) =>
  `docs/troubleshooting.md#${(ids.has(id) ? id : `its-${otherHook}`).toLowerCase()}`;

/**
 * A finding for scripts: sentence and command are those of its first subject. Cause, command and steps (a line each, for people) are
 * there if something is to be done, code, details (the last lines of a log) and docs if the check has failed or warns. The fields are an
 * interface: docs/output.md.
 */
export function describeGroup({ subjects, finding }: FindingGroup) {
  const [{ its }] = subjects;
  const about = {
    /** `machine`, `hosting/NAME`, `its/NAME`, `wds/NAME`, `wec/NAME`. */
    subjects: subjects.map(subjectName),
    /** For WECs: the context of their ITS. */
    ...(its === undefined ? {} : { its }),
  };
  const { id, title, ...outcome } = finding;
  if (outcome.status === 'pass') return { id, title, ...outcome, ...about };
  const { status, problem } = outcome;
  const { code, message, next, details = [] } = problem;
  const command = commandOf(next);
  const help = {
    ...(command === undefined ? {} : { command }),
    ...(next.length === 0 ? {} : { steps: stepLines(next) }),
  };
  if (status === 'skipped') return { id, title, status, cause: message, ...help, ...about };
  return {
    id,
    title,
    status,
    cause: message,
    ...help,
    code,
    ...about,
    ...(details.length > 0 ? { details } : {}),
    /** Where the documentation describes it: a file of the repository, and an anchor in it. */
    docs: docsOf(id),
  };
}

/** The name as `wec/NAME`; for this machine, `machine`. */
export const subjectName = ({ kind, name }: Subject) => (name === '' ? kind : `${kind}/${name}`);

import { type CheckInfo, checksOfStages } from '../core/checks.ts';
import { hubChecks } from '../ocm/hub-checks.ts';
import { hookNames } from '../ocm/kubeflex-names.ts';
import { externalChecks, wdsCredentialChecks } from '../spaces/credentials.ts';
import { hostingStages } from '../spaces/hosting-stages.ts';
import { itsStages } from '../spaces/its-stages.ts';
import { contextChecks } from '../spaces/own-contexts.ts';
import { isHub, itsOfWdsChecks, versionChecks } from '../spaces/space-checks.ts';
import { wdsStages } from '../spaces/wds-stages.ts';
import { probeCheck } from '../wecs/join-probe.ts';
import { wecChecks } from '../wecs/wec-checks.ts';
import { workloadChecks } from '../workloads/workload-checks.ts';
import { hostingChecks, itsChecks, joiningChecks } from './cluster-checks.ts';
import { machineChecks, programChecks } from './machine-checks.ts';
import { type Subject, unseenChecks } from './subject.ts';

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
const its = {
  type: 'vcluster' as const,
  jobs: [],
  controlPlane: {
    ...{ apiVersion: '', kind: '', metadata: { name: '' } },
    spec: { postCreateHooks: [hookNames.hubInit, hookNames.statusAddon, otherHook].map((hookName) => ({ hookName })) },
  },
};

const list = (room: Subject['kind'], pre: boolean, ...tables: (readonly CheckInfo[])[]): ListedCheck[] =>
  tables.flat().map(({ id, title }) => ({ id, title, room, pre }));

/** All checks of doctor, from the tables that doctor runs. */
export const catalogue: readonly ListedCheck[] = [
  ...list('machine', true, programChecks, machineChecks),
  ...list('hosting', true, hostingChecks),
  ...list('hosting', false, unseenChecks('hosting'), checksOfStages('hosting', hostingStages)),
  ...list('its', true, itsChecks),
  ...list('its', false, unseenChecks('its'), [isHub], checksOfStages('its', itsStages(its))),
  ...list('its', false, hubChecks, externalChecks('its'), versionChecks('its'), contextChecks('its')),
  ...list('wds', false, unseenChecks('wds'), checksOfStages('wds', wdsStages()), externalChecks('wds')),
  ...list('wds', false, wdsCredentialChecks, itsOfWdsChecks, versionChecks('wds'), contextChecks('wds')),
  ...list('wds', false, workloadChecks),
  ...list('wec', false, unseenChecks('wec'), wecChecks),
  ...list('wec', true, joiningChecks, [probeCheck]),
].filter(({ id }, index, all) => all.findIndex((other) => other.id === id) === index);

const ids = new Set(catalogue.map(({ id }) => id));

/** Where the documentation describes a check: a file of the repository, and an anchor in it. */
export const docsOf = (id: string): string =>
  `docs/troubleshooting.md#${(ids.has(id) ? id : `its-${otherHook}`).toLowerCase()}`;

import { type CheckInfo, checksOfStages } from '../engine/checks.ts';
import { hostingStages } from '../hosting/stages.ts';
import { hubChecks } from '../hub/checks.ts';
import { hookNames } from '../model/kubeflex-names.ts';
import { isHub } from '../spaces/checks.ts';
import { externalChecks, wdsCredentialChecks } from '../spaces/credentials.ts';
import { maintainedCheck } from '../spaces/entrance-checks.ts';
import { itsOfWdsChecks } from '../spaces/its-of-wds-check.ts';
import { contextChecks } from '../spaces/own-contexts.ts';
import { itsStages } from '../spaces/stages/its-stages.ts';
import { wdsStages } from '../spaces/stages/wds-stages.ts';
import { versionChecks } from '../spaces/version-check.ts';
import { wecChecks } from '../wecs/get/checks.ts';
import { probeCheck } from '../wecs/join/probe.ts';
import { workloadChecks } from '../workloads/checks.ts';
import { hostingChecks, itsChecks } from './clusters.ts';
import { joiningChecks } from './joining.ts';
import { machineChecks } from './machine.ts';
import { programChecks } from './programs.ts';
import type { Subject } from './subject.ts';
import { unseenChecks } from './unseen.ts';

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
  ...list('hosting', false, [maintainedCheck]),
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

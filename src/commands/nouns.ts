import { roleWithArticle, type SpaceRole } from '../lib/ocm/model/kubeflex-names.ts';
import type { Definition } from './common/define.ts';
import { type CommandEntry, entry, type Group } from './common/entry.ts';

const loadGrant = () => import('./wec/grant.ts');

export const wec: Group = {
  name: 'wec',
  summary: 'register and manage Workload Execution Clusters',
  description:
    'Commands for Workload Execution Clusters (WECs): the clusters that workloads run on.',
  commands: [
    entry('create', 'create local clusters for WECs', () => import('./wec/create.ts')),
    entry('join', 'join clusters to the ITS as WECs', () => import('./wec/join.ts')),
    entry(
      'accept',
      'accept or deny WECs that request to join the ITS',
      () => import('./wec/accept.ts'),
    ),
    entry('label', 'set, change, remove or list labels of WECs', () => import('./wec/label.ts')),
    entry(
      'properties',
      'set, change, remove or list customization properties of WECs',
      () => import('./wec/properties.ts'),
    ),
    entry('list|ls', 'list the WECs of the ITS', () => import('./wec/list.ts')),
    entry(
      'get',
      'show everything about a WEC, and what is wrong with it',
      () => import('./wec/get.ts'),
    ),
    entry('wait', 'wait until WECs reach a stage', () => import('./wec/wait.ts')),
    entry(
      'grant',
      'give the work agent of a WEC the rights that its works need',
      loadGrant,
      'grant',
    ),
    entry('revoke', 'revoke rights granted by wec grant', loadGrant, 'revoke'),
    entry('upgrade', 'upgrade the agents of WECs', () => import('./wec/upgrade.ts')),
    entry('deregister', 'deregister WECs from the ITS', () => import('./wec/deregister.ts')),
    entry(
      'delete',
      'delete local clusters (to keep the clusters: deregister)',
      () => import('./wec/delete.ts'),
    ),
  ],
};

/** The commands that `its` and `wds` share. */
const spaceCommands = (role: SpaceRole): CommandEntry[] => {
  type Made = Promise<{ definition(role: SpaceRole): Definition }>;
  const ofRole = (names: string, summary: string, load: () => Made) =>
    entry(names, summary, async () => ({ definition: (await load()).definition(role) }));
  const a = roleWithArticle(role);
  const inFull =
    role === 'its' ? 'an Inventory and Transport Space' : 'a Workload Description Space';
  return [
    ofRole(
      'list|ls',
      `list the ${role.toUpperCase()}es of the hosting cluster`,
      () => import('./spaces/list.ts'),
    ),
    ofRole(
      'get',
      `show everything about ${a}, and what is wrong with it`,
      () => import('./spaces/get.ts'),
    ),
    ofRole('context', `write the context of ${a} that exists`, () => import('./spaces/context.ts')),
    ofRole('repair', `repair ${a} that does not become ready`, () => import('./spaces/repair.ts')),
    ofRole('renew', `renew the credentials for ${a}`, () => import('./spaces/renew.ts')),
    ofRole(
      'use',
      `choose the default ${role.toUpperCase()}, or show it`,
      () => import('./spaces/use.ts'),
    ),
    ofRole('delete', `delete ${inFull}`, () => import('./spaces/delete.ts')),
  ];
};

export const its: Group = {
  name: 'its',
  summary: 'create and manage Inventory and Transport Spaces',
  description:
    'Commands for Inventory and Transport Spaces (ITSes): the OCM hubs that WECs register with.',
  commands: [
    entry('create', 'create an Inventory and Transport Space', () => import('./its/create.ts')),
    ...spaceCommands('its'),
    entry('upgrade', 'upgrade OCM in an ITS', () => import('./its/upgrade.ts')),
    entry(
      'token',
      'make a join file for the administrator of a WEC',
      () => import('./its/token.ts'),
    ),
  ],
};

const loadRestart = () => import('./wds/restart.ts');

const loadGuard = () => import('./wds/guard.ts');

export const wds: Group = {
  name: 'wds',
  summary: 'create and manage Workload Description Spaces',
  description:
    'Commands for Workload Description Spaces (WDSes): the API servers where workloads and binding policies are defined.',
  commands: [
    entry('create', 'create a Workload Description Space', () => import('./wds/create.ts')),
    ...spaceCommands('wds'),
    entry(
      'restart',
      'restart the controllers of a WDS, keeping its workloads',
      loadRestart,
      'restart',
    ),
    entry(
      'upgrade',
      'upgrade the controllers of a WDS to the installed hooks',
      loadRestart,
      'upgrade',
    ),
    entry('guard', 'keep workloads running whenever its controllers start', loadGuard, 'guard'),
    entry('unguard', 'delete the guard of a WDS', loadGuard, 'unguard'),
  ],
};

export const workload: Group = {
  name: 'workload',
  summary: 'follow workloads to WECs',
  description: 'Commands for workloads: the objects of a WDS, on their way to WECs and back.',
  commands: [
    entry(
      'list|ls',
      'list the objects that a WDS sends, and on how many WECs they are',
      () => import('./workload/list.ts'),
    ),
    entry(
      'get|trace',
      'show where a workload object is, and why it is not on a WEC',
      () => import('./workload/get.ts'),
    ),
    entry(
      'status',
      'show the status that WECs have returned for a workload object',
      () => import('./workload/status.ts'),
    ),
    entry(
      'diff',
      'show where WECs differ from what is sent to them',
      () => import('./workload/diff.ts'),
    ),
    entry(
      'render',
      'print a workload object as a WEC gets it',
      () => import('./workload/render.ts'),
    ),
    entry(
      'logs',
      'show the logs of a workload object on all its WECs',
      () => import('./workload/logs.ts'),
    ),
    entry(
      'events',
      'show the events of a workload object on all its WECs',
      () => import('./workload/events.ts'),
    ),
    entry(
      'wait',
      'wait until a workload object has arrived on WECs',
      () => import('./workload/wait.ts'),
    ),
  ],
};

const loadDelete = () => import('./policy/delete.ts');

export const policy: Group = {
  name: 'policy',
  summary: 'choose which workloads go to which WECs',
  description: 'Commands for binding policies: which objects of a WDS go to which WECs.',
  commands: [
    entry(
      'create',
      'create a binding policy, and show what it selects',
      () => import('./policy/create.ts'),
    ),
    entry(
      'apply',
      'create or change the binding policy in a file',
      () => import('./policy/apply.ts'),
    ),
    entry('list|ls', 'list the binding policies of a WDS', () => import('./policy/list.ts')),
    entry(
      'get',
      'show where the objects of a binding policy are, and what has failed',
      () => import('./policy/get.ts'),
    ),
    entry(
      'explain',
      'show what a binding policy selects now, and what is wrong',
      () => import('./policy/explain.ts'),
    ),
    entry(
      'wait',
      'wait until a binding policy has reached its WECs',
      () => import('./policy/wait.ts'),
    ),
    entry(
      'refresh',
      'have the works of a binding policy rewritten',
      () => import('./policy/refresh.ts'),
    ),
    entry('prune', 'remove what the guard of a WDS keeps of a binding policy', loadDelete, 'prune'),
    entry('delete', 'delete a binding policy, with or without its workloads', loadDelete, 'remove'),
  ],
};

const loadCollector = () => import('./collector/collector.ts');

export const collector: Group = {
  name: 'collector',
  summary: 'collect the status that WECs return into tables',
  description:
    'Commands for status collectors: tables of the status that WECs return for the objects of a WDS.',
  commands: [
    entry('create', 'create a status collector', loadCollector, 'create'),
    entry('list|ls', 'list the status collectors of a WDS', loadCollector, 'list'),
    entry('get', 'show a status collector', loadCollector, 'get'),
    entry('delete', 'delete a status collector', loadCollector, 'remove'),
  ],
};

const loadTransform = () => import('./transform/transform.ts');

export const transform: Group = {
  name: 'transform',
  summary: 'remove fields from objects before they are sent',
  description:
    'Commands for custom transforms: fields to remove from the objects of a kind before they are sent to WECs.',
  commands: [
    entry('create', 'create a custom transform', loadTransform, 'create'),
    entry('list|ls', 'list the custom transforms of a WDS', loadTransform, 'list'),
    entry('get', 'show a custom transform', loadTransform, 'get'),
    entry('delete', 'delete a custom transform', loadTransform, 'remove'),
  ],
};

export const fleet: Group = {
  name: 'fleet',
  summary: 'WECs as a file: export, plan, apply',
  description:
    'Commands for the WECs of an ITS as a file, which colleagues review and which registers them again.',
  commands: [
    entry('export', 'print the WECs of the ITS as a file', () => import('./fleet/export.ts')),
    entry('plan', 'show what applying a file would change', () => import('./fleet/plan.ts')),
    entry(
      'apply',
      'register, label and customize the WECs of a file',
      () => import('./fleet/apply.ts'),
    ),
    entry('schema', 'print the JSON Schema of the file', () => import('./fleet/schema.ts')),
  ],
};

const loadAccess = () => import('./access/access.ts');

export const access: Group = {
  name: 'access',
  summary: 'see and revoke what contexts with a role may do',
  description:
    'Commands for access to spaces that `its context --role` and `wds context --role` have given.',
  commands: [
    entry('list|ls', 'list who has access to spaces, and until when', loadAccess, 'list'),
    entry('revoke', 'revoke access to a space', loadAccess, 'revoke'),
  ],
};

export const upgrade: Group = {
  name: 'upgrade',
  summary: 'plan the upgrade of an installation',
  description: 'Commands for the upgrade of an installation as a whole.',
  commands: [
    entry(
      'plan',
      'show what to upgrade, in which order, by which commands',
      () => import('./upgrade/plan.ts'),
    ),
  ],
};

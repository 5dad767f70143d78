import { resources } from '../../lib/kube/resources.ts';
import {
  contexts,
  contextsOfWecs,
  inWds,
  kinds,
  labelsOfWecs,
  listed,
  pending,
  type Source,
  several,
  spaces,
  wecs,
  wecsAndChanges,
  withContexts,
  workloads,
} from './cluster-names.ts';

/** The source of the names that an option or an argument takes, the shell's files, or nothing if the names cannot be known. */
export type Offer = Source | 'files' | 'nothing';

const checkIds: Source = async () => {
  const { catalogue } = await import('../../lib/doctor/catalogue.ts');
  return catalogue.map(({ id }) => id);
};

const statusOfPolicy: Source = async (typed, targets) => [
  'singleton',
  'multi',
  ...(await inWds(resources.statusCollectors)(typed, targets)),
];

/** By option, since options are the same in every command; with the command if one differs. */
const options: Readonly<Record<string, Offer>> = {
  '--its': contexts,
  '--hosting-context': contexts,
  '--wec-context': contextsOfWecs,
  '--bootstrap-context': contexts,
  '--wds': spaces('wds'),
  'wds create --its': spaces('its'),
  'wds repair --its': spaces('its'),
  '--selector': listed(labelsOfWecs),
  'policy create --selector': 'nothing',
  '--clusters': listed(labelsOfWecs),
  '--label': labelsOfWecs,
  '--on': listed(wecs),
  '--select': kinds,
  '--namespace': inWds(resources.namespaces),
  '--status': listed(statusOfPolicy),
  '--skip': checkIds,
  ...offerEach('files', [
    ...['--kubeconfig', '--wec-kubeconfig', '--bootstrap-kubeconfig', '--file', '--filename', '--join-file'],
    ...['--ca-file', '--export', '--image-pull-secret', '--chart', '--ingress-chart', '--values'],
  ]),
  ...offerEach('nothing', [
    ...['--timeout', '--duration', '--agent', '--annotation', '--api-groups', '--network', '--image'],
    ...['--hub-apiserver', '--proxy-url', '--ocm-version', '--image-registry', '--version', '--name', '--domain'],
    ...['--external-port', '--host-container', '--set', '--set-string', '--set-json', '--set-file', '--rule'],
    ...['--filter', '--limit', '--remove', '--column', '--group-by', '--combine'],
  ]),
};

const policies = inWds(resources.bindingPolicies);
const collectors = inWds(resources.statusCollectors);
const transforms = inWds(resources.customTransforms);
const wecsWithContexts = withContexts(wecs);

/** By the commands that take the arguments; `wec` is optional, as on the command line. */
const arguments_: Readonly<Record<string, Offer>> = {
  'its use': contexts,
  'wds use': contexts,
  'wec join': withContexts(contextsOfWecs),
  'wec accept': withContexts(pending),
  'wec label': wecsAndChanges('labels'),
  'wec properties': wecsAndChanges('properties'),
  'wec delete': several(contexts),
  ...offerEach(wecsWithContexts, ['wec get', 'wec wait', 'wec grant', 'wec revoke', 'wec deregister']),
  ...offerEach(wecsWithContexts, ['doctor', 'report', 'version']),
  ...offerEach(spaces('its'), ['its get', 'its context', 'its repair', 'its delete']),
  ...offerEach(spaces('wds'), ['wds get', 'wds context', 'wds repair', 'wds restart', 'wds delete']),
  ...offerEach(policies, ['policy get', 'policy explain', 'policy refresh', 'policy delete']),
  ...offerEach(collectors, ['collector get', 'collector delete']),
  ...offerEach(transforms, ['transform get', 'transform delete']),
  ...offerEach(workloads, ['workload get', 'workload status', 'workload wait']),
  // They name what is created.
  ...offerEach('nothing', ['its create', 'wds create', 'wec create', 'policy create']),
  ...offerEach('nothing', ['collector create', 'transform create']),
};

function offerEach(offer: Offer, names: readonly string[]): Record<string, Offer> {
  return Object.fromEntries(names.map((name) => [name, offer]));
}

/** @param path of its command @param long its name, for example `--its` */
export const offerOfOption = (path: string, long: string): Offer | undefined =>
  options[`${path} ${long}`] ?? options[long];

/** Returns what a command takes as arguments; all arguments of a command are of one kind. @param path for example `wec join` */
export const offerOfArguments = (path: string): Offer | undefined => arguments_[path] ?? arguments_[`wec ${path}`];

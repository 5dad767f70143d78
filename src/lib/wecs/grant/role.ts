import type { KubeObject } from '../../kube/objects.ts';
import { resources } from '../../kube/resources.ts';
import { managedBy, managedByLabel } from '../klusterlet/operator.ts';
import { distinct, type RuleKind, ruleFor } from './kinds.ts';

/** The work agent has the rules of all ClusterRoles with this label (ocm, klusterlet work ClusterRole, aggregationRule). */
const aggregateLabel = 'open-cluster-management.io/aggregate-to-work';

/** The one ClusterRole with which stellarctl grants rights on a WEC. */
export const grantRoleName = 'stellarctl:work-agent';

export interface ClusterRole extends KubeObject {
  rules?: { apiGroups?: string[]; resources?: string[] }[];
}

export const kindsOf = ({ rules = [] }: ClusterRole): RuleKind[] =>
  distinct(
    rules.flatMap(({ apiGroups = [], resources: plurals = [] }) =>
      apiGroups.flatMap((group) => plurals.map((resource) => ({ group, resource }))),
    ),
  );

export function grantRole(kinds: readonly RuleKind[]): ClusterRole {
  const { apiVersion, kind } = resources.clusterRoles;
  const labels = { [managedByLabel]: managedBy, [aggregateLabel]: 'true' };
  return { apiVersion, kind, metadata: { name: grantRoleName, labels }, rules: kinds.map(ruleFor) };
}

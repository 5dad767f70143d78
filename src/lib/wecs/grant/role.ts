import { isDeepStrictEqual } from 'node:util';
import type { ClusterRole, PolicyRule } from '../../kube/objects.ts';
import { groupResourceOf, resources } from '../../kube/resources.ts';
import { managedBy, managedByLabel } from '../klusterlet/operator.ts';
import { distinct, type RuleKind, ruleFor } from './kinds.ts';

/** The work agent has the rules of all ClusterRoles with this label (ocm, klusterlet work ClusterRole, aggregationRule). */
const aggregateLabel = 'open-cluster-management.io/aggregate-to-work';

/** The one ClusterRole with which stellarctl grants rights on a WEC. */
export const grantRoleName = 'stellarctl:work-agent';

export const kindsOf = ({ rules = [] }: ClusterRole): RuleKind[] =>
  distinct(
    rules.flatMap(({ apiGroups = [], resources: plurals = [] }) =>
      apiGroups.flatMap((group) => plurals.map((resource) => ({ group, resource }))),
    ),
  );

/** The rules for these kinds that a role does not have word for word. */
export const missingRules = ({ rules = [] }: ClusterRole, kinds: readonly RuleKind[]): PolicyRule[] =>
  kinds.map(ruleFor).filter((wanted) => !rules.some((rule) => isDeepStrictEqual(rule, wanted)));

/** The rules of a role without these kinds; the rest of a rule keeps its verbs and names. */
export function rulesWithout({ rules = [] }: ClusterRole, kinds: readonly RuleKind[]): PolicyRule[] {
  const removed = new Set(kinds.map(groupResourceOf));
  return rules.flatMap((rule) => {
    const { apiGroups = [], resources: plurals = [] } = rule;
    const parts = apiGroups.map((group) => ({
      ...rule,
      apiGroups: [group],
      resources: plurals.filter((resource) => !removed.has(groupResourceOf({ group, resource }))),
    }));
    if (parts.every((part) => part.resources.length === plurals.length)) return [rule];
    return parts.filter((part) => part.resources.length > 0);
  });
}

export function grantRole(kinds: readonly RuleKind[]): ClusterRole {
  const { apiVersion, kind } = resources.clusterRoles;
  const labels = { [managedByLabel]: managedBy, [aggregateLabel]: 'true' };
  return { apiVersion, kind, metadata: { name: grantRoleName, labels }, rules: kinds.map(ruleFor) };
}

import type { AnyObject } from '../../kube/objects.ts';
import { operatorNamespace } from '../names.ts';
import { bindingObject, roleObject, serviceAccountObject, serviceAccountSubject } from '../rbac.ts';
import { bootstrapNames, type HubOptions } from './options.ts';
import { bootstrapRules } from './roles.ts';

/** What agents bootstrap with (ocm deploy/cluster-manager/chart, bootstrap_*.yaml). */
export function bootstrapObjects(options: HubOptions): AnyObject[] {
  const { account, role, binding } = bootstrapNames(options);
  return [
    serviceAccountObject(account, { namespace: operatorNamespace }),
    roleObject(role, bootstrapRules),
    bindingObject(binding, { name: role }, [serviceAccountSubject(operatorNamespace, account)]),
  ];
}

import type { Program } from '../core/program.ts';

/**
 * 3.14 is the oldest version that can keep the values of a release and use the defaults of a newer chart
 * (--reset-then-reuse-values).
 */
export const helmProgram: Program = {
  name: 'helm',
  minimum: '3.14.0',
  get: 'https://helm.sh/docs/intro/install/',
  versionArguments: ['version', '--template', '{{.Version}}'],
};

/** Variables that would change helm's cluster, namespace or user. */
const misleading = /^HELM_(KUBE\w+|NAMESPACE)$/;

/**
 * Returns the user's environment for helm, including where charts and releases are stored, without the variables that select a
 * cluster.
 */
export function helmEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !misleading.test(name)));
}

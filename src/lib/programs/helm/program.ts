import type { Program } from '../program.ts';

/** 3.14 is the first that can take over the values of a release onto those of a newer chart (--reset-then-reuse-values). */
export const helmProgram: Program = {
  name: 'helm',
  minimum: '3.14.0',
  get: 'https://helm.sh/docs/intro/install/',
  versionArguments: ['version', '--template', '{{.Version}}'],
};

/** Variables by which helm would work on another cluster or namespace, or as somebody else, than it is told to. */
const misleading = /^HELM_(KUBE\w+|NAMESPACE)$/;

/** What helm gets of the user's environment: what says where charts and releases are kept, not which cluster is meant. */
export function helmEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !misleading.test(name)));
}

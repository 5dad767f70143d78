/** Variables by which helm would work on another cluster or namespace, or as somebody else, than it is told to. */
const misleading = /^HELM_(KUBE\w+|NAMESPACE)$/;

/** What helm gets of the user's environment: what says where charts and releases are kept, not which cluster is meant. */
export function helmEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !misleading.test(name)));
}

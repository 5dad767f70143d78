/** A kubeconfig with contexts of one cluster and one user; the first is the current one. */
export const contextsOf = (cluster: object, user: object, ...names: string[]): object => ({
  clusters: [{ name: 'c', cluster }],
  users: [{ name: 'u', user }],
  contexts: names.map((name) => ({ name, context: { cluster: 'c', user: 'u' } })),
  'current-context': names[0],
});

/** A kubeconfig of one context, which is the current one. */
export const oneContext = (cluster: object, user: object): object => contextsOf(cluster, user, 'x');

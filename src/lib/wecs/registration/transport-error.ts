/** The operator's message quotes its whole access review; what a person needs is the transport's error at the end of a line. */
export function transportError(message = ''): string {
  const refused = /^Operation for resource &ResourceAttributes\{.*?Verb:([^,]*),.*?Resource:([^,]*),/m.exec(message);
  if (refused !== null) return `the hub does not let it ${refused[1]} ${refused[2]}`;
  const line =
    message.split('\n').find((text) => text.startsWith('Failed to create &SelfSubjectAccessReview')) ??
    message.split('\n')[0] ??
    '';
  const cause =
    /"(?:bootstrap-hub-kubeconfig|hub-kubeconfig-secret)"(?: to apiserver \S+)?: (.*)$/.exec(line)?.[1] ?? line;
  const plain = cause.replace(/^(?:Post|Get) "[^"]*": /, '').replace(/^dial tcp: /, '');
  return plain === 'Unauthorized' ? 'the hub does not accept the bootstrap token (Unauthorized)' : plain;
}

const secrets: [form: RegExp, instead: string][] = [
  // JSON Web Tokens: service account tokens, and what identity providers issue.
  [/eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g, '(token)'],
  // kubeadm's bootstrap tokens.
  [/\b[a-z0-9]{6}\.[a-z0-9]{16}\b/g, '(token)'],
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, '$1 (credentials)'],
  [/(\/\/)[^/\s@:]*:[^/\s@]*@/g, '$1'],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, '(key)'],
];

/** What another program has written, without what looks like credentials. */
export function withoutSecrets(text: string): string {
  return secrets.reduce((kept, [form, instead]) => kept.replace(form, instead), text);
}

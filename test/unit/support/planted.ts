/** Secrets, in the forms that occur in clusters. */
export const canary = 'Kanarienvogel7';

const packed = (text: string) => Buffer.from(text).toString('base64url');
export const jwt = [
  { alg: 'RS256', kid: canary },
  { sub: canary, iss: 'kubernetes/serviceaccount' },
]
  .map((part) => packed(JSON.stringify(part)))
  .concat(packed(`${canary} signature`))
  .join('.');

/** Spans several lines, as in files. */
const lines = (packed(canary.repeat(20)).match(/.{1,64}/g) ?? []).join('\n');
export const privateKey = `-----BEGIN RSA PRIVATE KEY-----\n${lines}\n-----END RSA PRIVATE KEY-----\n`;

export const kubeconfig = `apiVersion: v1
kind: Config
clusters:
- name: c
  cluster:
    server: https://its1.example:6443
    certificate-authority-data: ${packed(`a public certificate of ${canary}`)}
users:
- name: u
  user:
    token: ${canary}
    client-key-data: ${packed(privateKey)}
    password: "${canary} x"
`;

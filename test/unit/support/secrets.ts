/** Secrets as they occur in logs, arguments, annotations and fields, for the tests of redaction. */

/** What becomes of a secret: `kept` only where nothing distinguishes it from other text. */
type Verdict = 'removed' | 'kept';

export interface PlantedSecret {
  /** The text or object that contains it. */
  held: unknown;
  secret: string;
  verdict: Verdict;
}

/** Deterministic; assembled here, so that no scanner takes this file for a leak. */
const letters = (count: number, alphabet = 'q7Rt2vXw9bNc4mLkZ8s'): string =>
  Array.from({ length: count }, (_, index) => alphabet[(index * 7 + count) % alphabet.length]).join('');
const lower = (count: number) => letters(count, 'a1b2c3d4e5f');
const packed = (text: string) => Buffer.from(text).toString('base64');
/** A word as people choose it. */
const word = 'Zugspitze2962';

/** `S` is where the secret is. */
const filled = (text: string, secret = word, verdict: Verdict = 'removed'): PlantedSecret => ({
  held: text.replaceAll('§', secret),
  secret,
  verdict,
});
const inObject = (make: (secret: string) => unknown, secret = word): PlantedSecret => ({
  held: make(secret),
  secret,
  verdict: 'removed',
});

const names = [
  ...['PASSWORD=§', 'DB_PASS=§', 'dbPass=§', 'MYSQL_PWD=§', 'pw: §', 'passwort: §', 'passcode: §', 'pass-phrase=§'],
  ...['SECRET_KEY=§', 'secretKey: §', 'encryption_key: §', 'signing-key: §', 'AccountKey=§;EndpointSuffix=core'],
  ...['SharedAccessKey=§;x', 'masterKey: §', 'hmac_key=§', 'license-key: §', 'storage_key: §', 'primaryKey: §'],
  ...['appSecret: §', 'consumerSecret=§', 'APP_SECRET=§', 'client_secret=§&x=1', 'secret: §', 'secrets: §'],
  ...['token=§', 'refresh_token: §', 'tokens: §', 'x-amz-security-token: §', 'PRIVATE-TOKEN: §', 'creds: §'],
  ...['_authToken=§', '//registry.npmjs.org/:_authToken=§', '_password=§', 'X-Api-Key: §', 'apikey: §', 'otp=§'],
  ...['password1: §', 'password_old: §', 'passwordHash: §', 'tokenValue: §', 'spring.datasource.password=§'],
  ...['mnemonic: "§ able about"', 'connection_string: §', 'dsn: §', 'SAMLResponse=§', 'session_id=§', 'sessionid=§'],
];

const sentences = [
  ...['password "§"', 'password § is wrong: password "§"'].slice(0, 1),
  ...["ALTER USER app IDENTIFIED BY '§'", "CREATE ROLE app WITH LOGIN PASSWORD '§'", 'machine h login u password §'],
  ...['requirepass §', 'masterauth §', 'sshpass -p § ssh root@h', "mysql -u root -p'§' db", 'redis-cli -h r -a § ping'],
  ...['docker login -u me -p § quay.io', 'curl -u admin:§ https://h', 'curl --user admin:§ https://h'],
  ...['exec --token § --v=2', 'exec --hub-password=§', '--secret-key §', "curl -H 'X-Vault-Token: §'"],
  ...['<password>§</password>', '<add key="password" value="§"/>'].slice(0, 1),
  ...['{Username:a Password:§}', 'map[password:§ user:a]', "{'password': '§'}", 'password := "§"', 'password => §'],
  ...['{"password":"§"}', '{"password":{"value":"§"}}', 'x {"pass\\u0077ord":"§"}', '{"tokens":["§","§"]}'],
  ...['say "{\\"password\\":\\"§\\"}"', 'a:\n  password: |\n    §\n  b: c', 'password:\n  §\n', 'Cookie: sid=§'],
  ...['Authorization: Token §', 'Authorization: ApiKey §', 'Proxy-Authorization: Digest username="a", response="§"'],
];

const addresses = [
  ...['https://user:§@h/v2', 'https://§@h/v2', 'postgres://u:a/§@h/db', 'postgres://u:a#§@h', 'redis://:§@h:6379'],
  ...['amqp://u:a?§@h', 'mongodb+srv://u:a@§@h', 'root:§@tcp(db:3306)/x', 'DSN is root:a@§@unix(/run/s)'],
  ...['jdbc:oracle:thin:scott/§@//h:1521/x', 'jdbc:mysql://h/db?user=u&password=§'],
  ...[
    'https://h/cb?code=§&state=1',
    'https://h/b?sv=1&sig=§',
    'https://s3/x?X-Amz-Signature=§&y=1',
    'https://h/?key=§',
  ],
  'https://h/?access_token=§',
];

const variables = [
  ...['LDAP_BIND=§', 'export BASIC="§"', 'declare -x PIN="§"', 'SMTP_LOGIN=§ NEXT=1', 'env:\\nFOO=§\\nBAR=1'],
  ...['- name: SMTP_LOGIN\n  value: §\n', '{"name":"PIN","value":"§"}', '{\\"name\\":\\"PIN\\",\\"value\\":\\"§\\"}'],
  '- name: DB_PASSWORD\n  value: "§"',
];

const rsa = packed(letters(300));
const rows = rsa.match(/.{1,64}/g) as string[];
const middle = rows[2] as string;
const pem = (separator: string) => rows.join(separator);
const keys = [
  `-----BEGIN RSA PRIVATE KEY-----\n${pem('\n')}\n-----END RSA PRIVATE KEY-----\n`,
  `-----BEGIN OPENSSH PRIVATE KEY-----\n${pem('\n')}`,
  `${pem('\n')}\n-----END EC PRIVATE KEY-----`,
  `  ${pem('\n  ')}\n  -----END PRIVATE KEY-----`,
  `{"log":"${pem('\\n')}\\n-----END PRIVATE KEY-----\\n"}`,
  `\\n${pem('\\n')}\\n-----END PRIVATE KEY-----`,
  `-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n${pem('\n')}\n-----END PGP PRIVATE KEY BLOCK-----`,
  `${pem('\n')}\nstarted`,
].map((held): PlantedSecret => ({ held, secret: middle, verdict: 'removed' }));

/** Recognized by what they begin with, anywhere. */
const issued = [
  ...[
    'ghp_',
    'gho_',
    'github_pat_',
    'glpat-',
    'gldt-',
    'xoxb-',
    'xapp-',
    'npm_',
    'hvs.',
    'hvb.',
    'sk_live_',
    'rk_live_',
  ],
  ...[
    'sk-',
    'whsec_',
    'dckr_pat_',
    'pypi-AgE',
    'rubygems_',
    'glsa_',
    'SG.',
    'hf_',
    'GOCSPX-',
    'AIza',
    'ya29.',
    'shpat_',
  ],
  ...['dop_v1_', 'lin_api_', 'sq0atp-', 'NRAK-', 'dapi', 'figd_', 'AKCp', 'sha256~', 'k8s-aws-v1.', 'tskey-'],
].map((prefix) => filled('using § now', `${prefix}${letters(36)}`));

const forms = [
  filled('using § now', `${lower(6)}.${lower(16)}`),
  filled('using § now', `AKIA${letters(16, 'ABCDEFG234567')}`),
  filled('using § now', `eyJ${letters(30)}.${letters(40)}.${letters(20)}`),
  filled('using § now', packed(`{"token":"${word}"}`)),
  filled('using § now', packed(packed(`DB_PASSWORD=${word}`))),
  filled('Authorization: Bearer §', letters(20)),
  filled('as Basic § in', packed(`user:${word}`)),
  filled('root:$6$salt$§:19000:0', letters(40)),
  filled('admin:$apr1$salt$§', letters(22)),
  filled('$2y$10$§', letters(53)),
  filled('userPassword is {SSHA}§', letters(32)),
  filled('POST https://hooks.slack.com/services/T0/B0/§', letters(24)),
  filled('POST https://discord.com/api/webhooks/123/§', letters(40)),
  filled('POST https://x.webhook.office.com/webhookb2/§', letters(40)),
  filled('GET https://api.telegram.org/bot123:§/getMe', letters(30)),
];

const objects = [
  inObject((value) => ({ env: [{ name: 'DB_PASSWORD', value }] })),
  inObject((value) => ({ env: [{ name: 'DB_PASSWORD', value: Number(value) }] }), '824671'),
  inObject((value) => ({ env: [{ name: 'greeting', value }] })),
  inObject((value) => ({ env: [{ name: 'LICENCE', value }] })),
  inObject((value) => ({ env: { LOGIN: value, nested: { deep: value } } })),
  inObject((value) => ({ Env: [`LOGIN=${value}`] })),
  inObject((value) => ({ password: { value } })),
  inObject((value) => ({ password: { type: 'plain', text: [{ raw: value }] } })),
  inObject((value) => ({ tokens: [value, value] })),
  inObject((value) => ({ tokens: [{ id: 1, value }] })),
  inObject((value) => ({ credentials: { user: 'a', other: { login: value } } })),
  inObject((value) => ({ pin: 1, password: Number(value) }), '824671'),
  inObject((value) => ({ annotations: { config: JSON.stringify({ password: { value } }) } })),
  inObject((value) => ({ kind: 'Secret', data: { a: packed(value), b: value } })),
  inObject((value) => ({ kind: 'ConfigMap', data: { note: value } })),
  inObject((value) => ({ args: ['--password', value, `--token=${value}`] })),
  inObject((value) => ({ 'tls.key': value, 'ca.key': value })),
  inObject((value) => ({ secret: value, appSecret: value, 'ssh-privatekey': value })),
];

/** Known limits: nothing distinguishes these from names, paths and ids. */
const unrecognized = [
  ...['my favourite is §', 'kennwort lautet §', 'h:5432:db:user:§', 'sqlplus scott/§ as sysdba'],
  'the answer was §, and it was accepted',
].map((text) => filled(text, word, 'kept'));

export const plantedSecrets: readonly PlantedSecret[] = [
  ...[...names, ...sentences, ...addresses, ...variables].map((text) => filled(text)),
  ...[...keys, ...issued, ...forms, ...objects, ...unrecognized],
];

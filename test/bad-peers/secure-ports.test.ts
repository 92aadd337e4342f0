import { testAttacks } from './attack-table.ts';
import { identityAttacks } from './identity-attacks.ts';
import { secureScene } from './secure-scene.ts';
import { tlsAttacks } from './tls-attacks.ts';

// The rows of ports with TLS, certificates of clients, and tokens.
testAttacks([...tlsAttacks, ...identityAttacks], secureScene);

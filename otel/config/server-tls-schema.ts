import { z } from 'zod';
import { duration, durationText, filePath, withDefault } from './fields.ts';
import { serverTlsDefaults as defaults, type ServerTlsConfig } from './server-tls.ts';

// `tls` of a server, with the names of the OpenTelemetry Collector's `configtls`.

/** YAML reads 1.2 without quotes as a number. */
const version = z
  .custom<'1.2' | '1.3' | 1.2 | 1.3>((value) => ['1.2', '1.3'].includes(String(value)))
  .transform((value) => `TLSv${value}` as ServerTlsConfig['minVersion'])
  .meta({ allowed: '"1.2" or "1.3"' });

/** `tls` of an address that is listened on; left out there is none. What a variable that is not set makes null is no less than a mistake here. */
export const serverTls = z
  .strictObject({
    cert_file: filePath().describe(
      "The server's certificate, PEM, followed by those of intermediate authorities where there are any.",
    ),
    key_file: filePath().describe('The private key of the certificate, PEM, not encrypted.'),
    client_ca_file: filePath()
      .optional()
      .describe(
        'Certificates of the authorities that sign those of clients, PEM. With it every client has to present one.',
      ),
    min_version: withDefault(version, defaults.minVersion)
      .describe('The oldest version of TLS that is spoken.')
      .meta({ defaultText: '1.2' }),
    reload_interval: withDefault(duration(100), defaults.reloadIntervalMs)
      .describe(
        'How often the files are looked at. Changed ones hold for new connections; open ones stay. Broken ones leave everything as it was.',
      )
      .meta({ defaultText: durationText(defaults.reloadIntervalMs) }),
  })
  .transform(
    (value): ServerTlsConfig => ({
      certFile: value.cert_file,
      keyFile: value.key_file,
      clientCaFile: value.client_ca_file,
      minVersion: value.min_version,
      reloadIntervalMs: value.reload_interval,
    }),
  )
  .optional()
  .describe('TLS. An address that other machines reach needs it, or `insecure`.');

/** The formats that we write: Prometheus' text format 0.0.4 and OpenMetrics 1.0. */
export type ExpositionFormat = 'text' | 'openmetrics';

export const expositionContentTypes: Readonly<Record<ExpositionFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** A header with more ranges than this is read up to here. */
const maxRanges = 32;

/**
 * Chooses the format after the request's Accept header (RFC 9110). OpenMetrics only when it is named, in a version that we write,
 * and wanted at least as much as text; otherwise the text format, whatever was asked for, as Prometheus' own clients do.
 */
export function negotiateFormat(accept: string | undefined): ExpositionFormat {
  let text = -1;
  let openMetrics = 0;
  for (const range of (accept ?? '').split(',', maxRanges)) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    let quality = 1;
    let version = '';
    for (const parameter of parameters) {
      const [key, value = ''] = parameter.split('=', 2);
      if (key === 'q') quality = qualityOf(value);
      else if (key === 'version') version = value.replaceAll('"', '');
    }
    if (type === 'application/openmetrics-text' && ['', '0.0.1', '1.0.0'].includes(version)) {
      openMetrics = Math.max(openMetrics, quality);
    } else if (type === 'text/plain' && (version === '' || version === '0.0.4')) {
      text = Math.max(text, quality);
    }
  }
  return openMetrics > 0 && openMetrics >= text ? 'openmetrics' : 'text';
}

function qualityOf(text: string): number {
  const quality = Number(text);
  return text !== '' && quality >= 0 && quality <= 1 ? quality : 0;
}

import type { AttributeValue as SdkAttributeValue } from '@opentelemetry/api';
import { resourceFromAttributes, type Resource as SdkResource } from '@opentelemetry/resources';
import { attributeText } from '../../otel/model/attributes.ts';
import type { Resource } from '../../otel/model/resource.ts';

/** A resource of ours as one of the SDK. Int64s become numbers; what the SDK has no type for becomes text. */
export function sdkResource({ attributes, schemaUrl }: Resource): SdkResource {
  const plain: Record<string, SdkAttributeValue> = {};
  for (const [key, value] of attributes) {
    if (value === null) continue;
    if (typeof value === 'bigint') plain[key] = Number(value);
    else plain[key] = typeof value === 'object' ? attributeText(value) : value;
  }
  return resourceFromAttributes(plain, schemaUrl === '' ? {} : { schemaUrl });
}

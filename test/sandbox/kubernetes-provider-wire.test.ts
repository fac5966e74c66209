import fc from "fast-check";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { describe, expect, it } from "vitest";
import { putTogether, takeApart } from "../../sandbox/plugins/kubernetes/wire/message.ts";
import { decodeStruct, encodeStruct } from "../../sandbox/plugins/kubernetes/wire/struct.ts";
import type { JsonObject } from "../../sandbox/plugins/kubernetes/value.ts";

/** Objects as JSON has them; the library loses keys named `__proto__`. */
const objects = fc
  .dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue({ maxDepth: 4 }))
  .map((value) => JSON.stringify(value))
  .filter((text) => !text.includes("__proto__"))
  .map((text) => JSON.parse(text) as JsonObject);

describe("Struct", () => {
  it("is read from what the library writes", () => {
    fc.assert(
      fc.property(objects, (value) => {
        const bytes = struct.Struct.fromJavaScript(value).serializeBinary();
        expect(decodeStruct(Buffer.from(bytes))).toEqual(value);
      }),
    );
  });

  it("is written so that the library reads it", () => {
    fc.assert(
      fc.property(objects, (value) => {
        const read = struct.Struct.deserializeBinary(encodeStruct(value));
        expect(read.toJavaScript()).toEqual(value);
      }),
    );
  });

  it("can be larger than the first buffer, and than one length byte", () => {
    const value = {
      text: "ü".repeat(5_000),
      list: Array.from({ length: 500 }, (_, index) => index),
    };
    expect(decodeStruct(encodeStruct(value))).toEqual(value);
  });
});

describe("messages", () => {
  it("are taken apart and put together without loss", () => {
    const whole = new messages.CreateRequest().setUrn("urn").setTimeout(1.5).setPreview(true);
    whole.setProperties(struct.Struct.fromJavaScript({ a: [1, "x", null] }));
    const bytes = Buffer.from(whole.serializeBinary());
    const parts = takeApart(bytes, [2], (rest) => messages.CreateRequest.deserializeBinary(rest));
    expect(parts.message.getUrn()).toBe("urn");
    expect(parts.message.hasProperties()).toBe(false);
    expect(parts.structs.get(2)).toEqual({ a: [1, "x", null] });
    const again = messages.CreateRequest.deserializeBinary(putTogether(parts));
    expect(again.toObject()).toEqual(whole.toObject());
  });
});

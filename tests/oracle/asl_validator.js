// Reads definitions, a JSON text in each line; answers each with true if asl-validator refuses it.
const { createRequire } = require("node:module");
const validator = createRequire(process.argv[2] + "/")("asl-validator");
const lines = require("node:fs").readFileSync(0, "utf8").split("\n").filter(Boolean);
for (const line of lines) {
  let valid = false;
  try {
    valid = validator(JSON.parse(line)).isValid;
  } catch (error) {
    console.error(String(error));
  }
  console.log(JSON.stringify(!valid));
}

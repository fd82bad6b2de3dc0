# SPDX-License-Identifier: Apache-2.0
#
# schema_validate.py SCHEMA MANIFEST...: one line for each manifest, "yes" or "no", by jsonschema.
# Each is read twice, by the rules of YAML 1.1, as PyYAML does, and by those of YAML 1.2 for numbers
# and booleans, as editors do; "1.1" or "1.2" alone is said where only that one is valid. The status
# is 77 where the packages are not there, 1 where the schema itself is none.
import json
import re
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(missing, file=sys.stderr)
    sys.exit(77)


class Core(yaml.SafeLoader):
    """Scalars by the core schema of YAML 1.2."""


Core.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("null", r"^(|~|null|Null|NULL)$", ["", "~", "n", "N"]),
    ("bool", r"^(true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    (
        "float",
        r"^([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$",
        list("-+0123456789."),
    ),
):
    Core.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile(pattern), first)


with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)


def is_valid(path, loader):
    with open(path, encoding="utf-8") as file:
        return validator.is_valid(yaml.load(file, Loader=loader))


for path in sys.argv[2:]:
    old, new = is_valid(path, yaml.SafeLoader), is_valid(path, Core)
    print("yes" if old and new else "no" if not old and not new else "1.1" if old else "1.2")

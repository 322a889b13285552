"""Puts the results in order: names and what is known of each. It decodes nothing.

Event: {"name", "metadata", "transformed": base64, "thumbnails": [{"size", "width", "height", "png"}, ...]}.
Result: {"photo", "metadata", "thumbnails": [{"file", "width", "height"}], "files": {name: {"base64"}}}.
"""


def handler(event, context):
    stem = event["name"].rpartition(".")[0]
    files = {f"{stem}.grey.png": {"base64": event["transformed"]}}
    listed = []
    for small in sorted(event["thumbnails"], key=lambda small: small["size"]):
        file = f"{stem}.{small['size']}.png"
        files[file] = {"base64": small["png"]}
        listed.append({"file": file, "width": small["width"], "height": small["height"]})
    return {"photo": event["name"], "metadata": event["metadata"], "thumbnails": listed, "files": files}

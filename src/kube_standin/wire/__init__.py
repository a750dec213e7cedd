"""What comes in and goes out: requests, answers, discovery, OpenAPI, protobuf."""

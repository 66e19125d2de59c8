"""The register over X-Road (Tunduk): X-Road Message Protocol for REST 1.0, as a service client."""

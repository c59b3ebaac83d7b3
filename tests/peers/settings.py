"""What configurations of tests say that no admin would: any hour, any pace."""


def awake(configuration: str) -> str:
    """The configuration with texts at any hour, for tests that run at any hour; unless it names quiet hours itself."""
    if "quiet" in configuration:
        return configuration
    section = '[consent]\nquiet_hours = "off"\n'
    if "[consent]\n" in configuration:
        return configuration.replace("[consent]\n", section)
    return f"{configuration}\n{section}"


def unpaced(settings: str = "") -> str:
    """The settings of a bridge that sends as fast as it can, unless they name a pace themselves."""
    return settings if "per_second" in settings else f'per_second = "unlimited"\n{settings}'

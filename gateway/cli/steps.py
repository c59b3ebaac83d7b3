"""The steps of a decision's trace, for people and with their place in the configuration."""

from config.model import Config


def placed(step: dict[str, str], config: Config) -> dict[str, str]:
    """The step with its key's file and line."""
    return {**step, "config": f"{step['config']} ({config.where(step['config'])})"} if step["config"] else step


def step_in_words(step: dict[str, str]) -> str:
    """`+` nothing against a text, `x` it stopped or held it."""
    mark = "+" if step["verdict"] == "pass" else "x"
    return f"  {mark} {step['rule']:<20} {step['saw']:<44} {step['config']}".rstrip()

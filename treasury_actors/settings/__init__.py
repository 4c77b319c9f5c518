"""
Config files in, each component's own rules out.

`file` reads TOML and checks it whole (pydantic lives here and nowhere below); `rules` is what comes out:
plain frozen values, which a component gets by itself and never as "the config".
"""

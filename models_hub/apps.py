from django.apps import AppConfig


class ModelsHubConfig(AppConfig):
    name = "models_hub"

    def ready(self) -> None:
        from models_hub import (
            awarding,
            badge_rules,
            belongings,
            deeds,
            described,
            findable,
            hearing,
            moderated,
            trusting,
        )
        from models_hub.models import limiting

        described.register()
        findable.register()
        moderated.register()
        hearing.register()
        badge_rules.register()
        awarding.register()
        deeds.register()
        belongings.register()
        limiting.register()
        trusting.register()

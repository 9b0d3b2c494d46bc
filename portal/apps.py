from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        from portal import described, moderated_people

        described.register()
        moderated_people.register()

// Runs in the background: shows a message that arrives, and opens what it tells of. It asks the portal for nothing.
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("push", (event) => {
  const told = event.data.json();
  const options = { body: told.text, tag: told.topic, lang: told.language, data: told.path };
  event.waitUntil(self.registration.showNotification(told.title, options));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const address = new URL(event.notification.data, self.location.origin);
  if (address.origin === self.location.origin) event.waitUntil(self.clients.openWindow(address.href));
});
